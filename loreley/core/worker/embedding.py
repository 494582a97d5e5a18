"""One question to an OpenAI-compatible endpoint for embeddings."""

import importlib.util
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loreley.core.budget import Tariff, Usage
from loreley.core.worker.agents.protocol import Bill
from loreley.core.worker.interruptible import interruptibly
from loreley.deadline import Deadline
from loreley.errors import ConfigError, ServiceUnavailable
from loreley.secrets import masked

if TYPE_CHECKING:
    from openai import APIStatusError
    from openai.types import CreateEmbeddingResponse

_RETRIES = 2  # of the client library; then whoever asked decides
_CONNECT_SECONDS = 20.0
_LONGEST_SECONDS = 300.0
_NO_KEY = "none"  # local servers ask for none, but the library does
_NOTHING = Usage(0, 0, dollars=0.0)
_WAITING = "waiting for the embedding endpoint"


@dataclass(frozen=True, slots=True)
class Embedded:
    """The embeddings of some texts, in their order and all of one length."""

    vectors: Sequence[Sequence[float]]
    tokens: int | None  # that the endpoint has counted

    @property
    def length(self) -> int:
        """How many numbers an embedding has."""
        return len(self.vectors[0])

    def priced(self, dollars_per_million: float | None) -> Usage:
        """What it has cost, as far as that is known."""
        usage = Usage(self.tokens, 0 if self.tokens is not None else None)
        return Tariff(dollars_per_million, 0.0).priced(usage)


@dataclass(frozen=True, slots=True)
class EmbeddingEndpoint:
    """An endpoint and a model of it."""

    model: str
    url: str | None = None  # None: OpenAI's
    api_key: str | None = field(default=None, repr=False)
    retries: int = _RETRIES

    @property
    def target(self) -> str:
        """The endpoint in words that may be shown."""
        return masked(self.url or "api.openai.com")

    def check(self) -> None:
        """Make sure that it can be asked at all; raises `ConfigError`."""
        if importlib.util.find_spec("openai") is None:
            raise ConfigError(
                "the package for embedding endpoints is not installed",
                setting="MAPELITES_DESCRIPTOR=embedding",
                reason="there is no module 'openai'",
                fix="uv sync --extra embeddings, or pip install 'loreley[embeddings]'",
            )

    def embed(self, texts: Sequence[str], deadline: Deadline, bill: Bill | None = None) -> Embedded:
        """The embeddings of the texts, at least one.

        Raises `ConfigError` for what will not pass, `ServiceUnavailable` when the endpoint is
        away or overloaded, and what the deadline raises. ``bill`` is settled where it is certain
        that nothing was charged.
        """
        import openai  # slow to import, and only this descriptor needs it

        bill = bill or Bill()
        seconds = min(deadline.remaining_seconds, _LONGEST_SECONDS)
        with openai.OpenAI(
            api_key=self.api_key or _NO_KEY,
            base_url=self.url or "https://api.openai.com/v1",
            max_retries=self.retries,
            timeout=openai.Timeout(seconds, connect=_CONNECT_SECONDS),
        ) as client:

            def ask() -> "CreateEmbeddingResponse":
                # Base64, the library's own choice, is not what every compatible server speaks.
                return client.embeddings.create(
                    model=self.model, input=list(texts), encoding_format="float"
                )

            try:
                answer = interruptibly(ask, deadline, _WAITING)
            except openai.APIStatusError as error:
                bill.usage = _NOTHING
                raise self._refusal(error) from error
            except openai.APIConnectionError as error:
                deadline.check(_WAITING)
                raise self._away(str(error.__cause__ or error)) from error
            except (openai.OpenAIError, ValueError) as error:
                raise self._unexpected(f"{type(error).__name__}: {error}") from error
        return self._embedded(answer, len(texts))

    def _embedded(self, answer: "CreateEmbeddingResponse", count: int) -> Embedded:
        """The answer, nothing of which is taken on trust."""
        rows = sorted(getattr(answer, "data", None) or [], key=lambda row: row.index)
        vectors = [row.embedding for row in rows]
        if len(vectors) != count:
            raise self._unexpected(f"{len(vectors)} embeddings for {count} texts")
        if not vectors[0] or len({len(vector) for vector in vectors}) > 1:
            raise self._unexpected("embeddings are empty or of different lengths")
        if not all(0 < math.hypot(*vector) < math.inf for vector in vectors):
            raise self._unexpected("an embedding is all zeros or not finite")
        usage = getattr(answer, "usage", None)
        return Embedded(vectors, getattr(usage, "prompt_tokens", None))

    def _refusal(self, error: "APIStatusError") -> ConfigError | ServiceUnavailable:
        status, said = error.status_code, masked(str(error.message))[:500]
        if status in (408, 409, 429) or status >= 500:
            return self._away(f"status {status}: {said}")
        if status in (401, 403):
            return ConfigError(
                "the embedding endpoint refuses the key",
                setting="MAPELITES_EMBEDDING_API_KEY",
                target=self.target,
                reason=said,
                fix="set the key of this endpoint",
            )
        return ConfigError(
            "the embedding endpoint refuses the question",
            setting="MAPELITES_EMBEDDING_URL, MAPELITES_EMBEDDING_MODEL",
            target=self.target,
            reason=f"status {status}: {said}",
            fix="check the URL and the name of the model",
        )

    def _unexpected(self, reason: str) -> ConfigError:
        return ConfigError(
            "the embedding endpoint answered in an unexpected format",
            setting="MAPELITES_EMBEDDING_URL",
            target=self.target,
            reason=reason[:500],
            fix="give the base URL of an OpenAI-compatible endpoint; it often ends in /v1",
        )

    def _away(self, reason: str) -> ServiceUnavailable:
        return ServiceUnavailable(
            "the embedding endpoint does not answer as needed",
            setting="MAPELITES_EMBEDDING_URL",
            target=self.target,
            reason=masked(reason)[:500],
            fix="check that it runs and can be reached, or wait for its limits to be over",
        )
