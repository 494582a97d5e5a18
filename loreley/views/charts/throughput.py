"""How many jobs end, minute by minute, and which of them have been left alone for too long."""

from dataclasses import dataclass

from sqlalchemy import Connection, Float, cast, func, select

from loreley.core.jobs import JobState
from loreley.db.engine import Database, now
from loreley.db.models import jobs

_MINUTE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Throughput:
    """Jobs that were taken in of late."""

    now: float  # by the database's clock, seconds since 1970 UTC
    per_minute: tuple[tuple[int, int], ...]  # by minute, the oldest first: succeeded, others
    last_at: float | None  # when the latest of all jobs was taken in

    @property
    def rate(self) -> float:
        """Jobs a minute, over the last five full minutes; less where the run is younger."""
        recent = [sum(pair) for pair in self.per_minute[-6:-1]]
        while recent and not recent[0]:
            recent.pop(0)
        return sum(recent) / len(recent) if recent else float(sum(self.per_minute[-1]))


@dataclass(frozen=True, slots=True)
class StuckJob:
    """A job that does not go on."""

    job_id: str
    ordinal: int
    why: str


def read_throughput(database: Database, *, minutes: int = 60) -> Throughput:
    """The jobs of the last minutes, the running minute being the last."""
    with database.read() as connection:
        moment = float(connection.execute(select(now())).scalar_one())
        last = connection.execute(select(func.max(jobs.c.ingested_at))).scalar()
        counts = _count_ended(connection, moment, minutes)
    pairs = [(0, 0)] * minutes
    for (age, succeeded), ended in counts.items():
        if 0 <= age < minutes:
            good, bad = pairs[minutes - 1 - age]
            pairs[minutes - 1 - age] = (good + ended, bad) if succeeded else (good, bad + ended)
    return Throughput(moment, tuple(pairs), last)


def read_stuck(
    database: Database, *, silent_seconds: float, unclaimed_seconds: float, limit: int
) -> list[StuckJob]:
    """Jobs whose lease ended so long ago, and ones sent so long ago that nobody has begun."""
    silent = now() - jobs.c.lease_until
    waiting = now() - jobs.c.dispatched_at
    overdue = select(jobs, silent.label("seconds")).where(
        jobs.c.state == JobState.RUNNING, jobs.c.lease_until < now() - silent_seconds
    )
    unclaimed = select(jobs, waiting.label("seconds")).where(
        jobs.c.state == JobState.QUEUED, jobs.c.dispatched_at < now() - unclaimed_seconds
    )
    with database.read() as connection:
        late = connection.execute(overdue.order_by(jobs.c.ordinal).limit(limit)).all()
        left = connection.execute(unclaimed.order_by(jobs.c.ordinal).limit(limit)).all()
    return [
        *(
            StuckJob(
                row.id, row.ordinal, f"the lease of {row.worker} ended {row.seconds:.0f} s ago"
            )
            for row in late
        ),
        *(
            StuckJob(row.id, row.ordinal, f"sent {row.seconds:.0f} s ago, and no worker has begun")
            for row in left
        ),
    ][:limit]


def _count_ended(
    connection: Connection, moment: float, minutes: int
) -> dict[tuple[int, bool], int]:
    # SQLite may be built without `floor`; a cast to an integer cuts there and rounds elsewhere.
    age = func.round((moment - cast(jobs.c.ingested_at, Float)) / _MINUTE_SECONDS - 0.5)
    query = (
        select(age.label("age"), jobs.c.state, func.count().label("ended"))
        .where(jobs.c.ingested_at > moment - minutes * _MINUTE_SECONDS)
        .group_by(age, jobs.c.state)
    )
    found: dict[tuple[int, bool], int] = {}
    for row in connection.execute(query):
        key = (max(0, int(row.age)), row.state == JobState.SUCCEEDED)
        found[key] = found.get(key, 0) + row.ended
    return found
