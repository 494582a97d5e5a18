"""One question to an OpenAI-compatible endpoint, and what can come of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from loreley.core.budget import CallUsage, Usage, parse_amount, parse_tokens
from loreley.core.endpoints.openai_client import Client, Purpose, require_package
from loreley.errors import AgentFailed
from loreley.host.deadline import Deadline

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.chat import ChatCompletion

_RETRIES = 4
_CHAT = Purpose(
    "chat",
    setting="WORKER_CHAT",
    longest_seconds=86_400.0,
    refused=AgentFailed,
    late="it did not answer in time",
)


@dataclass(frozen=True, slots=True)
class ChatMessage:
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
class ChatEndpoint:
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
        return self._client.target

    @property
    def _client(self) -> Client:
        return Client(_CHAT, self.url, self.api_key, self.retries)

    def check(self) -> None:
        """Make sure that it can be asked at all; raises `ConfigError`."""
        require_package("chat", setting="WORKER_AGENT=chat", extra="chat")

    def ask(self, messages: Sequence[ChatMessage], deadline: Deadline, call: CallUsage) -> Reply:
        """The model's answer, asked for again after what may pass.

        Raises `AgentFailed` for what will not pass, `ServiceUnavailable` when the endpoint is
        away or overloaded for longer, and what the deadline raises. ``call`` is settled where it
        is certain that nothing was charged.
        """
        return self._read_reply(
            self._client.ask(lambda client: self._complete(client, messages), deadline, call)
        )

    def _complete(self, client: "OpenAI", messages: Sequence[ChatMessage]) -> "ChatCompletion":
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

    def _read_reply(self, completion: "ChatCompletion") -> Reply:
        choices = getattr(completion, "choices", None)
        if not choices or getattr(choices[0], "message", None) is None:
            raise self._client.unexpected(repr(completion)[:300])
        message, reason = choices[0].message, choices[0].finish_reason
        return Reply(_join_text(message.content), str(reason), _read_usage(completion))


def _read_usage(completion: "ChatCompletion") -> Usage:
    """What the endpoint says it used; some say what it cost, too."""
    usage: object = completion.usage
    details = getattr(usage, "prompt_tokens_details", None)
    return Usage(
        input_tokens=parse_tokens(getattr(usage, "prompt_tokens", None)),
        output_tokens=parse_tokens(getattr(usage, "completion_tokens", None)),
        cached_tokens=parse_tokens(getattr(details, "cached_tokens", None)) or 0,
        dollars=parse_amount(getattr(usage, "cost", None)),
    )


def _join_text(content: object) -> str:
    """The text of a message; some servers send it in parts, or a character in halves."""
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    whole = "".join(text for text in texts if isinstance(text, str))
    return whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
