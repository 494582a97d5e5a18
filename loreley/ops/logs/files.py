"""Which log files there are, which process wrote them, and which processes ran together."""

import math
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from pathlib import Path

from loreley.host.locks import is_locked

_NAME = re.compile(r"(?P<stem>(?P<role>[a-z]+)-(?P<start>\d{8}-\d{6})(?:-\d+)?)(?:\..+)?\.log")
_GAP_SECONDS = 2.0  # file names and starts have a resolution of a second


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of a process's log, as it was when it was looked at."""

    path: Path
    identity: tuple[int, int]  # device and inode: survives the rename of a rotation
    size_bytes: int
    modified: float  # seconds since the epoch


@dataclass(frozen=True, slots=True)
class ProcessLog:
    """All that one process logged; `segments` are never empty, the oldest comes first."""

    role: str
    name: str  # the file's name without its suffix
    started: float  # seconds since the epoch, to the second
    segments: tuple[Segment, ...]

    @property
    def label(self) -> str:
        """A short name for the process: its role and the time of day it was started at."""
        _, _, rest = self.name.partition("-")
        return f"{self.role}-{rest.partition('-')[2]}"

    @property
    def is_live(self) -> bool:
        """Whether the process still runs: it holds a lock on its first file."""
        return any(map(_is_written_to, self.segments))


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """Processes each of which overlapped another of them in time."""

    logs: tuple[ProcessLog, ...]  # in the order of their starts
    ended: float | None  # seconds since the epoch; None while one of them lives

    @property
    def started(self) -> float:
        """When the first of them was started, in seconds since the epoch."""
        return self.logs[0].started


def find_logs(base: Path, roles: Iterable[str]) -> list[ProcessLog]:
    """The logs of all processes of these roles below ``base``, in the order of their starts."""
    segments: dict[tuple[str, str], list[Segment]] = {}
    for role in roles:
        for name, segment in _find_segments(base / "logs" / role, role):
            segments.setdefault((role, name), []).append(segment)
    logs = [
        ProcessLog(role, name, _parse_start(name), tuple(sorted(parts, key=_age)))
        for (role, name), parts in segments.items()
    ]
    return sorted(logs, key=attrgetter("started", "name"))


def find_runs(logs: Iterable[ProcessLog]) -> list[LoggedRun]:
    """The logs, which come in the order of their starts, as runs; the newest run first."""
    runs: list[LoggedRun] = []
    members: list[ProcessLog] = []
    ended = 0.0
    for log in logs:
        if members and log.started > ended + _GAP_SECONDS:
            runs.append(_run(members, ended))
            members, ended = [], 0.0
        members.append(log)
        ended = max(ended, math.inf if log.is_live else log.segments[-1].modified)
    if members:
        runs.append(_run(members, ended))
    return runs[::-1]


def _run(members: list[ProcessLog], ended: float) -> LoggedRun:
    return LoggedRun(tuple(members), None if math.isinf(ended) else ended)


def _find_segments(folder: Path, role: str) -> Iterator[tuple[str, Segment]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        match = _NAME.fullmatch(entry.name)
        if match is None or match["role"] != role or not _is_time(match["start"]):
            continue
        with suppress(OSError):  # it may vanish meanwhile
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                identity = (status.st_dev, status.st_ino)
                path = Path(entry.path)
                yield match["stem"], Segment(path, identity, status.st_size, status.st_mtime)


def _age(segment: Segment) -> tuple[bool, float]:
    """Sorts the file that is being written last, the others by when they were full."""
    return "." not in segment.path.stem, segment.modified


def _is_time(text: str) -> bool:
    with suppress(ValueError):
        return bool(_parse_local(text))
    return False


def _parse_start(name: str) -> float:
    date, time_of_day = name.split("-")[1:3]
    return _parse_local(f"{date}-{time_of_day}").timestamp()


def _parse_local(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d-%H%M%S")  # noqa: DTZ007 - names have local time


def _is_written_to(segment: Segment) -> bool:
    with suppress(OSError):
        return is_locked(segment.path)
    return False
