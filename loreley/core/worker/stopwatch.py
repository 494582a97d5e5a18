"""How long the stages of a job take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from loreley.core.jobs import JobRecord


@contextmanager
def timed(record: JobRecord, stage: str) -> Iterator[None]:
    """Add the time spent here to the stage's, also when it fails."""
    started = time.monotonic()
    try:
        yield
    finally:
        spent = record.stage_seconds.get(stage, 0.0)
        record.stage_seconds[stage] = spent + time.monotonic() - started
