"""What the processes of this machine have logged about one job."""

import heapq
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from loreley.config import Role
from loreley.ops.logs.files import find_logs
from loreley.ops.logs.lines import Record, records_backwards
from loreley.ops.logs.tailing import LabelledRecord

_MARGIN = timedelta(seconds=2)
_MOST_RECORDS = 50_000  # looked at; a busy machine's logs of some hours
_SHOWN_ID_LENGTH = 8


def lines_of_job(base: Path, job_id: str, began: datetime, *, at_most: int) -> list[LabelledRecord]:
    """The last events of a job that began then, in the order of time."""
    # Log lines have the local time of the machine.
    since = (began - _MARGIN).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    mark = f" job={job_id[:_SHOWN_ID_LENGTH]} "
    streams = (
        _since(log.label, records_backwards(log), since) for log in find_logs(base, tuple(Role))
    )
    newest = heapq.merge(*streams, key=lambda item: item.record.time, reverse=True)
    found = (
        item
        for item in islice(newest, _MOST_RECORDS)
        if item.record.lines and mark in item.record.lines[0][:200]
    )
    return list(islice(found, at_most))[::-1]


def _since(label: str, records: Iterator[Record], time: str) -> Iterator[LabelledRecord]:
    for record in records:
        if record.time < time:
            return
        yield LabelledRecord(label, record)
