"""One question to an OpenAI-compatible endpoint for embeddings."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loreley.core.budget import CallUsage, Tariff, Usage, parse_tokens
from loreley.core.endpoints.completions import raise_error_in
from loreley.core.endpoints.dialects import strip_question
from loreley.core.endpoints.openai_client import Client, Purpose, require_package
from loreley.core.endpoints.surroundings import require_surroundings
from loreley.host.deadline import Deadline

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import CreateEmbeddingResponse

_RETRIES = 2  # then whoever asked decides
_EMBEDDING = Purpose(
    "embedding",
    setting="MAPELITES_EMBEDDING",
    longest_seconds=300.0,
    awaits_credit=True,
)


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
    def _client(self) -> Client:
        return Client(_EMBEDDING, strip_question(self.url), self.api_key, self.retries)

    def check(self) -> None:
        """Make sure that it can be asked at all; raises `ConfigError`."""
        require_package("embedding", setting="MAPELITES_DESCRIPTOR=embedding", extra="embeddings")
        require_surroundings()

    def embed(
        self, texts: Sequence[str], deadline: Deadline, call: CallUsage | None = None
    ) -> Embedded:
        """The embeddings of the texts, at least one.

        Raises `ConfigError` for what will not pass, `ServiceUnavailable` when the endpoint is
        away or overloaded, and what the deadline raises. ``call`` is settled where it is certain
        that nothing was charged.
        """

        def question(client: "OpenAI") -> "CreateEmbeddingResponse":
            # Base64, the library's own choice, is not what every compatible server speaks.
            answer = client.embeddings.create(
                model=self.model, input=list(texts), encoding_format="float"
            )
            # The library takes whatever comes with status 200, be it an error.
            names = ("data", "error", "detail", "status")
            raise_error_in({name: getattr(answer, name, None) for name in names})
            return answer

        return self._read_embeddings(
            self._client.ask(question, deadline, call or CallUsage()), len(texts)
        )

    def _read_embeddings(self, answer: "CreateEmbeddingResponse", count: int) -> Embedded:
        """The answer, nothing of which is taken on trust."""
        rows = getattr(answer, "data", None)
        try:
            ordered = sorted(rows or [], key=lambda row: int(row.index))
            vectors = [[float(number) for number in row.embedding] for row in ordered]
        except (AttributeError, TypeError, ValueError, OverflowError) as error:
            raise self._client.unexpected(f"{type(error).__name__}: {error}") from error
        if len(vectors) != count:
            raise self._client.unexpected(f"{len(vectors)} embeddings for {count} texts")
        if not vectors[0] or len({len(vector) for vector in vectors}) > 1:
            raise self._client.unexpected("embeddings are empty or of different lengths")
        if not all(0 < math.hypot(*vector) < math.inf for vector in vectors):
            raise self._client.unexpected("an embedding is all zeros or not finite")
        usage = getattr(answer, "usage", None)
        return Embedded(vectors, parse_tokens(getattr(usage, "prompt_tokens", None)))
