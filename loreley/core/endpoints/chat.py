"""One question to an OpenAI-compatible endpoint, and what can come of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from loguru import logger

from loreley.core.budget import CallUsage, Usage, parse_amount, parse_tokens
from loreley.core.endpoints.completions import (
    CutOff,
    Life,
    NoAnswer,
    Refused,
    join_text,
    read_completion,
)
from loreley.core.endpoints.conversation import (
    ChatMessage,
    Reply,
    Tools,
    read_calls,
    read_thoughts,
    write_messages,
)
from loreley.core.endpoints.dialects import (
    Dialect,
    Part,
    find_refused,
    may_lack_version,
    strip_question,
)
from loreley.core.endpoints.model_list import describe_missing_model, read_model_list
from loreley.core.endpoints.openai_client import Client, Purpose, require_package
from loreley.core.endpoints.surroundings import require_surroundings
from loreley.host.deadline import Deadline
from loreley.masking import masked

if TYPE_CHECKING:
    from openai import OpenAI

_RETRIES = 4
_TRIAL_SECONDS = 10.0
_CHAT = Purpose(
    "chat",
    setting="WORKER_CHAT",
    longest_seconds=86_400.0,
    late="it did not answer in time",
    limits_text=True,
)


@dataclass(frozen=True, slots=True)
class ChatEndpoint:
    """An endpoint and a model of it."""

    model: str
    url: str | None = None  # None: OpenAI's
    api_key: str | None = field(default=None, repr=False)
    temperature: float | None = None
    max_output_tokens: int | None = None
    retries: int = _RETRIES
    idle_seconds: float = 0.0  # 0: it may be silent until the deadline
    dialect: Dialect = field(default_factory=Dialect, repr=False)

    @property
    def target(self) -> str:
        """The endpoint in words that may be shown."""
        return self._client.target

    @property
    def _client(self) -> Client:
        return Client(_CHAT, self._base_url, self.api_key, self.retries)

    @property
    def _base_url(self) -> str | None:
        """The URL without the path that belongs to a question, which is often given with it."""
        return strip_question(self.url)

    def check(self) -> None:
        """Make sure that it can be asked at all; raises `ConfigError`."""
        self._require_package()
        require_surroundings()

    def try_key(self, within_seconds: float = _TRIAL_SECONDS) -> str:
        """Have the endpoint list its models, which is free; what is odd about it, or nothing.

        Raises `ProviderRefused` where it refuses the key, `ConfigError` without the library.
        """
        self._require_package()
        bases, deadline = [self._base_url], Deadline.after(within_seconds)
        if may_lack_version(self._base_url):
            bases.append(f"{self._base_url}/v1")
        for base in bases:
            listed = read_model_list(Client(_CHAT, base, self.api_key, retries=0), deadline)
            if listed:
                return describe_missing_model(self.model, listed)
        return ""

    def _require_package(self) -> None:
        require_package("chat", setting="WORKER_AGENT=chat", extra="chat")

    @property
    def knows_tools(self) -> bool:
        """Whether it has not refused tools so far."""
        return Part.TOOLS not in self.dialect.refused

    def ask(
        self,
        messages: Sequence[ChatMessage],
        deadline: Deadline,
        call: CallUsage,
        tools: Tools | None = None,
    ) -> Reply:
        """The model's answer, asked for again after what may pass.

        What the endpoint refuses of the protocol is left out from then on, be it the tools. Raises
        like `Client.ask`. ``call`` is settled where it is certain that nothing was charged.
        """
        life = Life(self.idle_seconds)
        question = _Question(messages, tools)
        with life.watch():
            answer = self._client.ask(
                lambda client: self._converse(client, question, life), deadline, call, life.check
            )
        return self._read_reply(answer)

    def _converse(self, client: "OpenAI", question: "_Question", life: Life) -> Mapping[str, Any]:
        """The answer, in the dialect that the endpoint turns out to speak."""
        import openai

        tried: Exception | None = None  # why the path of a question is looked for below /v1
        while True:
            refused = self.dialect.refused
            asked = refused | {Part.BARE_PATH} if tried else refused
            try:
                answer = self._complete(client, question, life, asked)
            except (openai.APIStatusError, Refused, NoAnswer) as error:
                if tried and _knows_no_path(error):
                    raise tried from error
                part = self._find_refused(error, question, asked)
                if tried:
                    self._learn(Part.BARE_PATH, tried)
                    tried = None
                if part is None:
                    raise
                if part is Part.BARE_PATH:
                    tried = error
                else:
                    self._learn(part, error)
            else:
                if tried:
                    self._learn(Part.BARE_PATH, tried)
                return answer

    def _learn(self, part: Part, error: Exception) -> None:
        self.dialect.learn(part)
        logger.warning(
            "the chat endpoint {} refuses {}, and is asked without it from now on: {}",
            self.target,
            part,
            masked(" ".join(str(error).split()))[:200],
        )

    def _find_refused(
        self, error: Exception, question: "_Question", refused: frozenset[Part]
    ) -> Part | None:
        if getattr(error, "status_code", 0) in (401, 402, 403, 408, 409, 429):
            return None
        words = f"{error} {getattr(error, 'param', None) or ''}"
        part = find_refused(words, list(self._options(question, refused)))
        if part is not Part.TOOLS and _knows_no_path(error):
            is_possible = may_lack_version(self._base_url) and Part.BARE_PATH not in refused
            return Part.BARE_PATH if is_possible else None
        return part

    def _options(
        self, question: "_Question", refused: frozenset[Part]
    ) -> dict[Part, tuple[str, Any]]:
        """What is asked for beside the answer itself, as far as it is not refused."""
        limits = [Part.MAX_TOKENS, Part.MAX_COMPLETION_TOKENS]
        if self.url is None:
            # OpenAI's models that think refuse the older name, most compatible servers the newer.
            limits.reverse()
        options: dict[Part, tuple[str, Any]] = {
            Part.STREAM: ("stream", True),
            Part.USAGE: ("stream_options", {"include_usage": True}),
            Part.TEMPERATURE: ("temperature", self.temperature),
            Part.SYSTEM: ("system", None),
        }
        if question.tools is not None:
            options[Part.TOOLS] = ("tools", question.tools.write())
        if any(message.thoughts for message in question.messages):
            options[Part.THOUGHTS] = ("thoughts", None)
        if limit := next((each for each in limits if each not in refused), None):
            options[limit] = (limit.value, self.max_output_tokens)
        if Part.STREAM in refused:
            options.pop(Part.USAGE)
        return {part: option for part, option in options.items() if part not in refused}

    def _complete(
        self,
        client: "OpenAI",
        question: "_Question",
        life: Life,
        refused: frozenset[Part],
    ) -> Mapping[str, Any]:
        options = dict(self._options(question, refused).values())
        if Part.BARE_PATH in refused:
            client = client.with_options(base_url=f"{self._base_url}/v1")
        wanted = {name: value for name, value in options.items() if value is not None}
        messages: Any = write_messages(question.messages, question.tools, refused)
        life.show()
        with client.chat.completions.with_streaming_response.create(
            model=self.model, messages=messages, **wanted
        ) as response:
            try:
                return read_completion(response.iter_lines(), life)
            except Exception as error:
                # The package of the client below the library has changed its name.
                if any(each.__name__ == "TransportError" for each in type(error).__mro__):
                    raise CutOff(str(error)) from error
                raise

    def _read_reply(self, completion: Mapping[str, Any]) -> Reply:
        choices = completion.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = choice.get("message") if isinstance(choice, dict) else None
        if not isinstance(choice, dict) or not isinstance(message, dict):
            raise self._client.unexpected(repr(dict(completion))[:300])
        text = join_text(message.get("content")) or join_text(message.get("refusal"))
        return Reply(
            # A character that came in halves is whole again.
            text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
            str(choice.get("finish_reason")),
            _read_usage(completion.get("usage")),
            read_thoughts(message),
            read_calls(message.get("tool_calls")),
        )


@dataclass(frozen=True, slots=True)
class _Question:
    messages: Sequence[ChatMessage]
    tools: Tools | None


def _knows_no_path(error: Exception) -> bool:
    """Whether nothing answers there that knows of questions; what is no answer is of no API."""
    is_elsewhere = isinstance(error, NoAnswer) or getattr(error, "status_code", 0) in (404, 405)
    return is_elsewhere and "model" not in str(error).lower()


def _read_usage(usage: object) -> Usage:
    """What the endpoint says it used; some say what it cost, too."""
    told = usage if isinstance(usage, dict) else {}
    details = told.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return Usage(
        input_tokens=parse_tokens(told.get("prompt_tokens")),
        output_tokens=parse_tokens(told.get("completion_tokens")),
        cached_tokens=parse_tokens(cached) or 0,
        dollars=parse_amount(told.get("cost")),
    )
