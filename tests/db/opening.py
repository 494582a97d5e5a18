"""Opening databases that cannot be opened, and what tests put into those that can."""

import time

import pytest

from loreley.core.jobs import JobKind
from loreley.db.engine import Database, open_database
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import LoreleyError

SECRET = "hunter2"


def refusal(url: str, *, within: float = 3) -> LoreleyError:
    """The error that opening ends in, in bounded time and without the password."""
    began = time.monotonic()
    with pytest.raises(LoreleyError) as raised:
        open_database(url)
    assert time.monotonic() - began < within
    assert SECRET not in f"{raised.value} {raised.value.__cause__}"
    return raised.value


def create_job(database: Database, ordinal: int = 0) -> None:
    Schedule(database).create(NewJob(JobKind.EVOLUTION, ordinal, 7, "a" * 40))
