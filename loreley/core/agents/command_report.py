"""Reads what a coding agent printed: whether it succeeded, what it said, what it used."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import IO, Annotated, Any

from pydantic import AfterValidator, ConfigDict, with_config

from loreley.core.budget import Usage, parse_amount, parse_tokens


def _require_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"it is no regular expression: {error}") from None
    return text


Pattern = Annotated[str, AfterValidator(_require_pattern)]
_LONGEST_LINE_BYTES = 4 * 1024 * 1024
_MULTIPLES = {"k": 1_000, "M": 1_000_000}


@dataclass(frozen=True, slots=True)
class CommandReport:
    """What is known of a run from its output alone."""

    ended: bool  # whether it says that it came to its end
    error: str = ""  # what it says went wrong; it may have gone on all the same
    failed: bool = False  # whether it says itself that it failed
    text: str = ""  # what it says it did
    usage: Usage = field(default_factory=Usage)
    cut_off: str = ""  # by which limit of its own, where it says that
    last_error: str = ""  # its error, where it has told nothing else since


@with_config(ConfigDict(extra="forbid"))  # what stands in a preset
@dataclass(frozen=True, slots=True)
class JsonLinesOutput:
    """Reads output of one JSON object a line.

    A path such as ``usage.input_tokens`` leads from an event to a value; of several paths to a
    text the first that leads to one counts, several paths to numbers are added up.
    """

    end: Mapping[str, Any]  # what the event at the end holds
    failed: Mapping[str, Any] = field(default_factory=dict)  # what it holds after a failure
    failed_unless: Mapping[str, Any] = field(default_factory=dict)  # what it holds otherwise
    failed_text: Pattern = ""  # how words begin that are an error, whatever else is said
    cut_off: Sequence[str] = ()  # values of ``subtype`` at the end after a limit of its own
    usage_of: Mapping[str, Any] = field(default_factory=dict)  # what events with usage hold
    text_of: Mapping[str, Any] = field(default_factory=dict)  # what events with words hold
    text: Sequence[str] = ()
    errors: Sequence[str] = ()  # types of events that report errors
    error_of: Mapping[str, Any] = field(default_factory=dict)  # what further ones hold
    error: Sequence[str] = ()
    empty_error: Pattern = ""  # how errors read that say nothing beside one that came before
    dollars: str = ""
    input: Sequence[str] = ()
    cached: Sequence[str] = ()
    output: Sequence[str] = ()
    total: str = ""  # of all tokens; what is neither input nor told as output was thought
    usage_before: str = ""  # of events before the end, whose usage counts where there is no end

    def read(self, output: IO[bytes]) -> CommandReport:
        """What the whole output says; lines that are no JSON objects are passed over."""
        ended, failed, text, error, usage, cut_off = False, False, "", "", Usage(), ""
        last_error = ""
        before: dict[str, Usage] = {}  # of each answer of the model, whose pieces say the same
        for event in _read_events(output):
            at_end = _matches(event, self.end)
            if at_end:
                ended = True
                failed = self._says_it_failed(event)
                cut_off = self._find_limit(event)
            if _matches(event, self.usage_of or self.end):
                usage = _add_usage(usage, self._read_usage(event))
            elif self.usage_before and event.get("type") == self.usage_before:
                said = event.get("message")
                before[str(_look_up(event, "message.id"))] = self._read_usage(said)
            last_error = ""
            if (at_end and failed) or self._is_error(event):
                last_error = error = self._find_error(event) or error
            elif _matches(event, self.text_of):
                text = _find_text(event, self.text) or text
        last = text.rpartition("\n")[2]
        if self.failed_text and (
            re.match(self.failed_text, text) or re.match(self.failed_text, last)
        ):
            failed, error = True, text
        if usage.tokens is None:
            usage = reduce(_add_usage, before.values(), usage)
        return CommandReport(ended, error, failed, text, usage, cut_off, last_error)

    def _is_error(self, event: Mapping[str, Any]) -> bool:
        return event.get("type") in self.errors or (
            bool(self.error_of) and _matches(event, self.error_of)
        )

    def _find_error(self, event: Mapping[str, Any]) -> str:
        found = _find_text(event, self.error)
        return "" if self.empty_error and re.match(self.empty_error, found) else found

    def _find_limit(self, event: Mapping[str, Any]) -> str:
        kind = event.get("subtype")
        return kind if isinstance(kind, str) and kind in self.cut_off else ""

    def _says_it_failed(self, event: Mapping[str, Any]) -> bool:
        if self.failed and _matches(event, self.failed):
            return True
        return bool(self.failed_unless) and not _matches(event, self.failed_unless)

    def _read_usage(self, event: object) -> Usage:
        sent, output = _add_up(event, self.input), _add_up(event, self.output)
        whole = parse_tokens(_look_up(event, self.total)) if self.total else None
        if whole is not None and sent is not None:
            output = max(output or 0, whole - sent)
        return Usage(
            input_tokens=sent,
            output_tokens=output,
            cached_tokens=_add_up(event, self.cached) or 0,
            dollars=parse_amount(_look_up(event, self.dollars)) if self.dollars else None,
        )


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class TextOutput:
    """Reads output that is text for people."""

    end_line: Pattern | None = None  # stands wherever the model was asked; None: nothing shows it
    error_line: Pattern | None = None
    failed_line: Pattern | None = None  # after which nothing counts
    cut_off_line: Pattern | None = None  # at the end after a limit of its own
    adds_up: bool = False  # whether each line of usage tells that of all before it, too

    def read(self, output: IO[bytes]) -> CommandReport:
        """What the whole output says, by the lines that match."""
        ended, usage, error, words = self.end_line is None, Usage(), "", ""
        failed, cut_off, last_error = False, "", ""
        for line in _read_lines(output):
            text = line.decode(errors="replace").strip()
            last_error = "" if text else last_error
            if self.end_line and (match := re.search(self.end_line, text)):
                found = _parse_usage(match)
                ended, usage = True, found if self.adds_up else _add_usage(usage, found)
            elif self.cut_off_line and re.search(self.cut_off_line, text):
                cut_off = text
            elif self.failed_line and re.search(self.failed_line, text):
                failed, error = True, text
            elif self.error_line and re.search(self.error_line, text):
                last_error = error = text
            elif text:
                words = text
        return CommandReport(ended, error, failed, words, usage, cut_off, last_error)


def _parse_usage(match: re.Match[str]) -> Usage:
    found = match.groupdict()
    cached = _parse_amount(found.get("cached")) or 0
    sent = _parse_amount(found.get("input"))
    if sent is not None:
        sent += cached + (_parse_amount(found.get("write")) or 0)
    dollars = parse_amount(_parse_number(found.get("dollars") or ""))
    return Usage(sent, _parse_amount(found.get("output")), cached, dollars)


def _parse_amount(text: str | None) -> int | None:
    if text is None:
        return None
    number = _parse_number(text.rstrip("kM").replace(",", ""))
    return None if number is None else parse_tokens(number * _MULTIPLES.get(text[-1], 1))


def _parse_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _read_lines(output: IO[bytes]) -> Iterator[bytes]:
    output.seek(0)
    return iter(lambda: output.readline(_LONGEST_LINE_BYTES), b"")


def _read_events(output: IO[bytes]) -> Iterator[Mapping[str, Any]]:
    for line in _read_lines(output):
        if not line.lstrip().startswith(b"{"):
            continue
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict):
            yield event


def _look_up(event: object, path: str) -> object:
    found = event
    for part in path.split("."):
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return found


def _matches(event: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(_look_up(event, path) == value for path, value in wanted.items())


def _find_text(event: Mapping[str, Any], paths: Iterable[str]) -> str:
    texts = (_look_up(event, path) for path in paths)
    return next((text.strip() for text in texts if isinstance(text, str) and text.strip()), "")


def _add_up(event: object, paths: Sequence[str]) -> int | None:
    numbers = [
        number for path in paths if (number := parse_tokens(_look_up(event, path))) is not None
    ]
    return sum(numbers) if numbers else None


def _add_usage(first: Usage, second: Usage) -> Usage:
    return Usage(
        _add_counts(first.input_tokens, second.input_tokens),
        _add_counts(first.output_tokens, second.output_tokens),
        first.cached_tokens + second.cached_tokens,
        None
        if first.dollars is None and second.dollars is None
        else (first.dollars or 0.0) + (second.dollars or 0.0),
    )


def _add_counts(first: int | None, second: int | None) -> int | None:
    return None if first is None and second is None else (first or 0) + (second or 0)
