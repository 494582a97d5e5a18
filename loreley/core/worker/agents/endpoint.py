"""One question to an OpenAI-compatible endpoint, and what can come of it."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from loreley.core.budget import Usage
from loreley.core.worker.agents.protocol import Bill
from loreley.core.worker.interruptible import interruptibly
from loreley.deadline import Deadline
from loreley.errors import AgentFailed, ConfigError, LoreleyError, ServiceUnavailable
from loreley.secrets import masked

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI
    from openai.types.chat import ChatCompletion

_RETRIES = 4  # of the client library, with growing pauses or as the endpoint asks for
_CONNECT_SECONDS = 20.0
_WAITING = "waiting for the chat endpoint"
_NO_KEY = "none"  # local servers ask for none, but the library does
_NOTHING = Usage(0, 0, dollars=0.0)


@dataclass(frozen=True, slots=True)
class Message:
    """A turn of the conversation."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model answered."""

    text: str
    finish_reason: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint and a model of it."""

    model: str
    url: str | None = None  # None: OpenAI's
    api_key: str | None = field(default=None, repr=False)
    temperature: float | None = None
    max_output_tokens: int | None = None
    retries: int = _RETRIES

    @property
    def target(self) -> str:
        """The endpoint in words that may be shown."""
        return masked(self.url or "api.openai.com")

    def check(self) -> None:
        """Make sure that it can be asked at all; raises `ConfigError`."""
        if importlib.util.find_spec("openai") is None:
            raise ConfigError(
                "the package for chat endpoints is not installed",
                setting="WORKER_AGENT=chat",
                reason="there is no module 'openai'",
                fix="uv sync --extra chat, or pip install 'loreley[chat]'",
            )

    def ask(self, messages: Sequence[Message], deadline: Deadline, bill: Bill) -> Reply:
        """The model's answer, asked for again after what may pass.

        Raises `AgentFailed` for what will not pass, `ServiceUnavailable` when the endpoint is
        away or overloaded for longer, and what the deadline raises. ``bill`` is settled where it
        is certain that nothing was charged.
        """
        import openai  # slow to import, and only this agent needs it

        with openai.OpenAI(
            api_key=self.api_key or _NO_KEY,
            base_url=self.url or "https://api.openai.com/v1",
            max_retries=self.retries,
            timeout=openai.Timeout(
                min(deadline.remaining_seconds, 86_400.0), connect=_CONNECT_SECONDS
            ),
        ) as client:
            try:
                completion = interruptibly(
                    lambda: self._completion(client, messages), deadline, _WAITING
                )
            except openai.APIStatusError as error:
                bill.usage = _NOTHING
                raise self._refusal(error) from error
            except openai.APITimeoutError as error:
                deadline.check(_WAITING)
                raise self._away("it did not answer in time") from error
            except openai.APIConnectionError as error:
                raise self._away(str(error.__cause__ or error)) from error
            except (openai.OpenAIError, ValueError) as error:
                raise self._unexpected(f"{type(error).__name__}: {error}") from error
        return self._reply(completion)

    def _completion(self, client: "OpenAI", messages: Sequence[Message]) -> "ChatCompletion":
        options: dict[str, Any] = {}
        if self.temperature is not None:
            options["temperature"] = self.temperature
        if self.max_output_tokens is not None:
            # The newer name is refused by most compatible servers, the older by OpenAI's models
            # that think; those take no temperature either.
            name = "max_tokens" if self.url else "max_completion_tokens"
            options[name] = self.max_output_tokens
        turns: Any = [{"role": each.role, "content": each.content} for each in messages]
        completion: ChatCompletion = client.chat.completions.create(
            model=self.model, messages=turns, **options
        )
        return completion

    def _reply(self, completion: "ChatCompletion") -> Reply:
        choices = getattr(completion, "choices", None)
        if not choices or getattr(choices[0], "message", None) is None:
            raise self._unexpected(repr(completion)[:300])
        message, reason = choices[0].message, choices[0].finish_reason
        return Reply(message.content or "", str(reason), _usage(completion))

    def _refusal(self, error: "APIStatusError") -> LoreleyError:
        status, said = error.status_code, masked(str(error.message))[:500]
        if status == 429 and error.code == "insufficient_quota":
            return self._failed("the account at the chat endpoint is used up", said)
        if status in (408, 409, 429) or status >= 500:
            return self._away(f"status {status}: {said}")
        if status in (401, 403):
            return self._failed(
                "the chat endpoint refuses the key",
                said,
                setting="WORKER_CHAT_API_KEY",
                fix="set the key of this endpoint",
            )
        return self._failed(
            "the chat endpoint refuses the question",
            f"status {status}: {said}",
            setting="WORKER_CHAT_URL, WORKER_CHAT_MODEL",
            fix="check the URL and the name of the model",
        )

    def _failed(self, what: str, reason: str, *, setting: str = "", fix: str = "") -> AgentFailed:
        return AgentFailed(what, target=self.target, reason=reason, setting=setting, fix=fix)

    def _unexpected(self, reason: str) -> AgentFailed:
        return self._failed(
            "the chat endpoint answered in an unexpected format",
            reason[:500],
            setting="WORKER_CHAT_URL",
            fix="give the base URL of an OpenAI-compatible endpoint; it often ends in /v1",
        )

    def _away(self, reason: str) -> ServiceUnavailable:
        return ServiceUnavailable(
            "the chat endpoint does not answer as needed",
            setting="WORKER_CHAT_URL",
            target=self.target,
            reason=masked(reason)[:500],
            fix="check that it runs and can be reached, or wait for its limits to be over",
        )


def _usage(completion: "ChatCompletion") -> Usage:
    """What the endpoint says it used; some say what it cost, too."""
    usage = completion.usage
    if usage is None:
        return Usage()
    details = getattr(usage, "prompt_tokens_details", None)
    cost = (usage.model_extra or {}).get("cost")
    return Usage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cached_tokens=getattr(details, "cached_tokens", None) or 0,
        dollars=float(cost) if isinstance(cost, int | float) else None,
    )
