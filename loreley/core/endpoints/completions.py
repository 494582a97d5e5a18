"""An answer as it comes in: an event for each piece, or all of it at once; errors inside of it."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from loreley.core.endpoints.conversation import merge_pieces, read_thoughts
from loreley.core.endpoints.refusals import Refusal, read_words
from loreley.errors import ProviderUnavailable, TimeLimitReached

_EVENT_LINES = ("data:", "event:", "id:", "retry:", ":")
_STATUS_OF = {
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "invalid_api_key": 401,
    "authentication_error": 401,
    "permission_error": 403,
    "model_not_found": 404,
    "context_length_exceeded": 400,
    "invalid_request_error": 400,
    "overloaded_error": 503,
    "server_error": 500,
    "api_error": 500,
}
_STATUS_OF_REFUSAL = {
    Refusal.KEY: 401,
    Refusal.CREDIT: 402,
    Refusal.RATE: 429,
    Refusal.OVERLOAD: 503,
    Refusal.MODEL: 404,
    Refusal.AWAY: 502,
    Refusal.QUESTION: 400,
}
_SHOWN_LENGTH = 300


class Refused(Exception):
    """An endpoint that says 200 and then, in the body, what it refuses or why it failed."""

    def __init__(self, status_code: int, message: str, code: str | None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.message = message
        self.code = code

    @property
    def may_pass(self) -> bool:
        """Whether asking again is of use."""
        is_used_up = self.code == "insufficient_quota"
        return not is_used_up and (self.status_code in (408, 409, 429) or self.status_code >= 500)


class CutOff(Exception):
    """The connection ended in the middle of the answer."""


class NoAnswer(ValueError):
    """What came is no answer in any form that is known."""


@dataclass(slots=True)
class Life:
    """When an endpoint last showed that it lives; one that is silent for too long has failed."""

    limit_seconds: float = 0.0  # 0: never
    latest: float = field(default_factory=time.monotonic)
    has_answered: bool = False  # with a part of an answer, rather than with a sign of life

    def show(self) -> None:
        """It lives."""
        self.latest = time.monotonic()

    def check(self) -> None:
        """Raise `ProviderUnavailable` when it has been silent for too long."""
        if 0 < self.limit_seconds < time.monotonic() - self.latest:
            raise _silence(
                f"no word of its answer has come for {self.limit_seconds:g} s",
                "WORKER_AGENT_IDLE_SECONDS",
                "raise the limit where the model reads or thinks for long; 0 means never",
            )

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Raise `ProviderUnavailable` where the time passes without any part of an answer."""
        try:
            yield
        except TimeLimitReached as error:
            if self.has_answered:
                raise
            raise _silence(
                "the time for an answer has passed without a word of it",
                "WORKER_AGENT_TIMEOUT_SECONDS",
                "raise the limit where the model reads or thinks for long",
            ) from error


def _silence(reason: str, setting: str, otherwise: str) -> ProviderUnavailable:
    """Nobody has answered, so no answer is at fault."""
    return ProviderUnavailable(
        "the chat endpoint fell silent",
        setting=setting,
        reason=reason,
        fix=f"look at the server, or {otherwise}",
    )


def read_completion(lines: Iterable[str], life: Life) -> Mapping[str, Any]:
    """The answer in the form of a completion; raises `Refused`, `CutOff` or `NoAnswer`."""
    every = _following(lines, life)
    first = next((line for line in every if line.strip()), "")
    if first.startswith(_EVENT_LINES):
        return _read_events(first, every)
    text = "\n".join([first, *every])
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NoAnswer(f"it is no JSON: {text[:_SHOWN_LENGTH]!r}") from error
    if isinstance(answer, list) and len(answer) == 1:  # some put their errors into a list
        answer = answer[0]
    if not isinstance(answer, dict):
        raise NoAnswer(repr(answer)[:_SHOWN_LENGTH])
    raise_error_in(answer)
    return answer


def raise_error_in(answer: Mapping[str, Any]) -> None:
    """Raise `Refused` where the body of an answer tells an error, by its status, kind or words."""
    error = answer.get("error") or answer.get("detail")
    if not error or answer.get("choices") or answer.get("data"):
        return
    told = error if isinstance(error, dict) else {"message": error}
    codes = [told.get("code"), told.get("status"), told.get("type"), answer.get("status")]
    message = str(told.get("message") or error)
    status = next(filter(None, map(_read_status, codes)), None) or _read_words(message)
    if status is not None:
        code = told.get("code")
        raise Refused(status, message, str(code) if code is not None else None)


def _read_words(message: str) -> int | None:
    refusal = read_words(message)
    return _STATUS_OF_REFUSAL[refusal] if refusal else None


def _following(lines: Iterable[str], life: Life) -> Iterator[str]:
    life.show()
    for line in lines:
        life.show()
        life.has_answered |= bool(line.strip()) and not line.startswith(":")
        yield line


def _read_status(code: object) -> int | None:
    if isinstance(code, str) and not code.isdecimal():
        return _STATUS_OF.get(code.lower())
    if isinstance(code, bool) or not isinstance(code, int | str):
        return None
    return int(code) if 400 <= int(code) <= 599 else None


def _read_events(first: str, rest: Iterator[str]) -> Mapping[str, Any]:
    """The pieces of a streamed answer, put together."""
    message: dict[str, Any] = {"content": "", "refusal": ""}
    calls: list[dict[str, Any]] = []
    reason, usage, is_done = None, None, False
    for event in _parse_events(first, rest):
        if event is None:
            is_done = True
            break
        _raise_error_in_event(event)
        usage = event.get("usage") or usage
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else {}
        if not isinstance(choice, dict):
            continue
        delta = choice.get("delta") or choice.get("message") or {}
        for name in ("content", "refusal"):
            message[name] += join_text(delta.get(name))
        for name, piece in read_thoughts(delta).items():
            more = piece if isinstance(piece, list) else join_text(piece)
            message[name] = message[name] + more if name in message else more
        merge_pieces(calls, delta.get("tool_calls"))
        reason = choice.get("finish_reason") or reason
    if reason is None and not is_done:
        raise CutOff("the connection ended before the answer did")
    whole = {**message, "tool_calls": calls}
    return {"choices": [{"message": whole, "finish_reason": reason}], "usage": usage}


def _raise_error_in_event(event: Mapping[str, Any]) -> None:
    error = event.get("error")
    if error:
        raise_error_in({"error": error, "status": event.get("status")})
        words = error.get("message") if isinstance(error, dict) else error
        raise Refused(500, str(words or error), None)


def _parse_events(first: str, rest: Iterator[str]) -> Iterator[dict[str, Any] | None]:
    """Each event's object; None for the one that says that it was the last."""
    for line in chain([first], rest):
        if not line.startswith("data:"):
            continue
        data = line.removeprefix("data:").strip()
        if data == "[DONE]":
            yield None
            return
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict):
            yield event


def join_text(content: object) -> str:
    """The text of a message; some servers send it in parts."""
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    return "".join(text for text in texts if isinstance(text, str))
