"""The lines of a log file, and the records they form; bounded whatever the file holds."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from loreley.config import LOG_LEVELS
from loreley.ops.logs.files import ProcessLog, Segment

LONGEST_LINE_BYTES = 32 * 1024  # what is longer is cut
_BLOCK_BYTES = 64 * 1024
_LARGEST_RECORD_LINES = 2_000  # longer ones are taken apart
_HEAD = re.compile(r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \| (?P<level>\w[^|]*?) *\| ")
# A log holds the output of others: what could steer a terminal is shown, not sent.
_VISIBLE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) != "\t"}


@dataclass(frozen=True, slots=True)
class LogEvent:
    """An event of a log: its line and the unmarked lines that follow it."""

    time: str  # local, sortable
    level: str | None  # None: the lines do not say
    lines: tuple[str, ...]

    def reaches(self, level: str | None) -> bool:
        """Whether the event is of this level or above; None means every level."""
        if level is None:
            return True
        if self.level not in LOG_LEVELS:
            return False
        return LOG_LEVELS.index(self.level) >= LOG_LEVELS.index(level)


def parse_head(line: str) -> tuple[str, str] | None:
    """Time and level of a line that begins an event, None for any other."""
    match = _HEAD.match(line)
    return (match["time"], match["level"]) if match else None


def read_events_backwards(log: ProcessLog) -> Iterator[LogEvent]:
    """The events of one process, the last one first, read only as far as they are asked for."""
    lines: list[str] = []
    time = ""
    for segment in reversed(log.segments):
        # Lines without a head, such as rubbish, count as being as old as what follows them.
        time = time or datetime.fromtimestamp(segment.modified).isoformat(" ", "milliseconds")  # noqa: DTZ006
        for line in read_lines_backwards(segment):
            lines.append(line)
            head = parse_head(line)
            if head:
                time = head[0]
            if head or len(lines) >= _LARGEST_RECORD_LINES:
                yield LogEvent(time, head[1] if head else None, tuple(reversed(lines)))
                lines = []
    if lines:
        yield LogEvent(time, None, tuple(reversed(lines)))


def read_lines_backwards(segment: Segment) -> Iterator[str]:
    """The lines of a file as it was when it was looked at, the last one first."""
    with open_segment(segment) as descriptor:
        if descriptor is None:
            return
        end = segment.size_bytes
        for newline in _newlines_backwards(descriptor, end):
            if newline + 1 < segment.size_bytes:  # rather than the last line's own end
                yield read_line(descriptor, newline + 1, end)
            end = newline


def find_end_of_last_line(segment: Segment) -> int:
    """The offset after the file's last line break; what follows is still being written."""
    with open_segment(segment) as descriptor:
        if descriptor is None:
            return 0
        return next(_newlines_backwards(descriptor, segment.size_bytes)) + 1


def read_line(descriptor: int, start: int, end: int) -> str:
    """The line in these bytes of the file, cut where it is too long."""
    head = os.pread(descriptor, min(end - start, LONGEST_LINE_BYTES), start)
    return make_visible(head, missing_bytes=end - start - len(head))


def make_visible(line: bytes, *, missing_bytes: int = 0) -> str:
    """A line's bytes as text that is safe to print."""
    text = line.rstrip(b"\r").decode("utf-8", "replace").translate(_VISIBLE)
    return f"{text} … ({missing_bytes} bytes more)" if missing_bytes > 0 else text


@contextmanager
def open_segment(segment: Segment) -> Iterator[int | None]:
    """The segment's open file, also when it was renamed since; None when it is gone."""
    descriptor = _open(segment.path, segment)
    if descriptor is None:
        with suppress(OSError):
            names = list(segment.path.parent.iterdir())
            descriptor = next(filter(None, (_open(name, segment) for name in names)), None)
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _open(path: Path, segment: Segment) -> int | None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        status = os.fstat(descriptor)
        if (status.st_dev, status.st_ino) == segment.identity:
            return descriptor
        os.close(descriptor)
    return None


def _newlines_backwards(descriptor: int, end: int) -> Iterator[int]:
    """Offsets of the line breaks before ``end``, the last one first; -1, the file's start, last."""
    while end > 0:
        start = max(0, end - _BLOCK_BYTES)
        block = os.pread(descriptor, end - start, start)
        found = len(block)
        while (found := block.rfind(b"\n", 0, found)) >= 0:
            yield start + found
        end = start
    yield -1
