"""What the processes of this machine have logged about one job."""

import heapq
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from loreley.config import Role
from loreley.ops.logs.files import find_logs
from loreley.ops.logs.lines import LogEvent, read_events_backwards
from loreley.ops.logs.tailing import LabelledEvent

_MARGIN = timedelta(seconds=2)
_MOST_EVENTS = 50_000  # looked at; a busy machine's logs of some hours
_SHOWN_ID_LENGTH = 8


def read_job_events(
    base: Path, job_id: str, began: datetime, *, at_most: int
) -> list[LabelledEvent]:
    """The last events of a job that began then, in the order of time."""
    # Log lines have the local time of the machine.
    since = (began - _MARGIN).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    mark = f" job={job_id[:_SHOWN_ID_LENGTH]} "
    streams = (
        _take_since(log.label, read_events_backwards(log), since)
        for log in find_logs(base, tuple(Role))
    )
    newest = heapq.merge(*streams, key=lambda item: item.event.time, reverse=True)
    found = (
        item
        for item in islice(newest, _MOST_EVENTS)
        if item.event.lines and mark in item.event.lines[0][:200]
    )
    return list(islice(found, at_most))[::-1]


def _take_since(label: str, events: Iterator[LogEvent], time: str) -> Iterator[LabelledEvent]:
    for event in events:
        if event.time < time:
            return
        yield LabelledEvent(label, event)
