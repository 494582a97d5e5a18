"""What is at the end of some logs, and what is added to them while one watches."""

import heapq
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from loreley.ops.logs.files import ProcessLog, Segment, find_logs
from loreley.ops.logs.lines import (
    LONGEST_LINE_BYTES,
    LogEvent,
    find_end_of_last_line,
    make_visible,
    open_segment,
    parse_head,
    read_events_backwards,
)

_LARGEST_READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class LabelledEvent:
    """An event and the process it is from."""

    label: str
    event: LogEvent


def read_last_events(
    logs: Iterable[ProcessLog], *, lines: int, level: str | None
) -> list[LabelledEvent]:
    """The newest events of all these processes, in the order of time.

    They have at least ``lines`` lines together, where there are as many.
    """
    streams = map(_read_backwards, logs)
    chosen: list[LabelledEvent] = []
    missing = lines
    for item in heapq.merge(*streams, key=lambda item: item.event.time, reverse=True):
        if missing <= 0:
            break
        if item.event.reaches(level):
            chosen.append(item)
            missing -= len(item.event.lines)
    return chosen[::-1]


def _read_backwards(log: ProcessLog) -> Iterator[LabelledEvent]:
    return (LabelledEvent(log.label, event) for event in read_events_backwards(log))


def drop_unfinished_line(log: ProcessLog) -> ProcessLog:
    """The log as it was before the line that is just being written."""
    last = log.segments[-1]
    finished = replace(last, size_bytes=find_end_of_last_line(last))
    return replace(log, segments=(*log.segments[:-1], finished))


@dataclass(slots=True)
class _Position:
    """How far one process's log has been read."""

    identity: tuple[int, int]
    offset: int = 0
    in_cut_line: bool = False  # the rest of a line that was cut is not shown
    time: str = ""
    level: str | None = None


class Follower:
    """Reads what processes add to their logs, through rotations and new starts."""

    def __init__(self, base: Path, roles: Sequence[str], read: Iterable[ProcessLog]) -> None:
        """Follow all logs of ``roles`` below ``base``; those in ``read`` from their end on."""
        self._base = base
        self._roles = roles
        self._positions = {
            (log.role, log.name): _Position(last.identity, last.size_bytes)
            for log in read
            for last in log.segments[-1:]
        }

    def poll(self) -> list[LabelledEvent]:
        """The events added since the last call, in the order of time."""
        logs = find_logs(self._base, self._roles)
        # The inode of a file that is gone may soon be another file's.
        there = {(log.role, log.name) for log in logs}
        self._positions = {key: self._positions[key] for key in there & self._positions.keys()}
        found = [LabelledEvent(log.label, event) for log in logs for event in self._read_added(log)]
        return sorted(found, key=lambda item: item.event.time)

    def _read_added(self, log: ProcessLog) -> list[LogEvent]:
        first = _Position(log.segments[0].identity)
        position = self._positions.setdefault((log.role, log.name), first)
        events: list[tuple[str, str | None, list[str]]] = []
        for line in _read_added_lines(log.segments, position):
            if head := parse_head(line):
                position.time, position.level = head
            if head or not events:
                events.append((position.time, position.level, []))
            events[-1][2].append(line)
        return [LogEvent(time, level, tuple(lines)) for time, level, lines in events]


def _read_added_lines(segments: Sequence[Segment], position: _Position) -> Iterator[str]:
    identities = [segment.identity for segment in segments]
    known = position.identity in identities
    for segment in segments[identities.index(position.identity) if known else -1 :]:
        if segment.identity != position.identity:
            position.identity, position.offset, position.in_cut_line = segment.identity, 0, False
        if segment.size_bytes < position.offset:  # emptied by somebody
            position.offset = 0
        yield from _read_lines(segment, position, is_full=segment is not segments[-1])


def _read_lines(segment: Segment, position: _Position, *, is_full: bool) -> Iterator[str]:
    with open_segment(segment) as descriptor:
        while descriptor is not None and position.offset < segment.size_bytes:
            size = min(_LARGEST_READ_BYTES, segment.size_bytes - position.offset)
            block = os.pread(descriptor, size, position.offset)
            complete = block.rfind(b"\n") + 1
            if not complete and (is_full or len(block) == _LARGEST_READ_BYTES):
                complete = len(block)
            if not complete:
                return
            position.offset += complete
            yield from _split(block[:complete], position)


def _split(block: bytes, position: _Position) -> Iterator[str]:
    *lines, rest = block.split(b"\n")
    for line in lines:
        if not position.in_cut_line:
            yield _cut(line)
        position.in_cut_line = False
    if rest and not position.in_cut_line:
        position.in_cut_line = True
        yield _cut(rest)


def _cut(line: bytes) -> str:
    return make_visible(line[:LONGEST_LINE_BYTES], missing_bytes=len(line) - LONGEST_LINE_BYTES)
