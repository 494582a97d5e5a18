"""The jobs in the database as the scheduler sees them: create, dispatch, reap, ingest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, func, select, update

from loreley.core.jobs import FINAL_STATES, JobKind, JobState
from loreley.db.engine import Database, now
from loreley.db.models import experiment, jobs
from loreley.errors import FailureKind

_OPEN_STATES = [state for state in JobState if state not in FINAL_STATES]


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that is about to be created."""

    kind: JobKind
    ordinal: int
    seed: int
    base_commit: str
    inspirations: tuple[str, ...] = ()
    island: int = 0


@dataclass(frozen=True, slots=True)
class EndedJob:
    """A job in a final state that the archive has not seen yet."""

    job_id: str
    kind: JobKind
    state: JobState
    island: int
    commit: str | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class BaselineJob:
    """How the evaluation of the root commit stands."""

    ordinal: int
    state: JobState
    ingested: bool
    failure: str | None


@dataclass(frozen=True, slots=True)
class Experiment:
    """What stays fixed for the life of a database."""

    root_commit: str
    search: Mapping[str, Any]


class Schedule:
    """What the scheduler asks of the database; several calls may share one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def experiment(self) -> Experiment | None:
        """The experiment of this database, or None before its first start."""
        with self._database.read() as connection:
            row = connection.execute(select(experiment)).first()
        return Experiment(row.root_commit, row.search) if row else None

    def found(self, wanted: Experiment) -> Experiment:
        """Write the experiment down unless there is one already; the one that counts."""
        with self._database.begin() as connection:
            connection.execute(
                self._database.insert(experiment)
                .values(
                    id=1,
                    root_commit=wanted.root_commit,
                    search=dict(wanted.search),
                    created_at=now(),
                )
                .on_conflict_do_nothing()
            )
            row = connection.execute(select(experiment)).one()
        return Experiment(row.root_commit, row.search)

    def create(self, job: NewJob) -> str:
        """Add a pending job and return its id.

        A job of the same ordinal, made by another scheduler, is left as it is.
        """
        job_id = str(uuid4())
        insert = (
            self._database.insert(jobs)
            .values(
                id=job_id,
                ordinal=job.ordinal,
                kind=job.kind,
                state=JobState.PENDING,
                island=job.island,
                seed=job.seed,
                base_commit=job.base_commit,
                inspirations=list(job.inspirations),
                created_at=now(),
            )
            .on_conflict_do_nothing(index_elements=[jobs.c.ordinal])
        )
        with self._database.begin() as connection:
            connection.execute(insert)
        return job_id

    def next_ordinal(self) -> int:
        """The number of the next evolution job, which is how many there have been.

        Baselines count downwards from -1.
        """
        with self._database.read() as connection:
            last = connection.execute(select(func.max(jobs.c.ordinal))).scalar()
        return 0 if last is None else max(0, last + 1)

    def last_baseline(self) -> BaselineJob | None:
        """The latest evaluation of the root commit, or None before the first."""
        query = select(jobs).where(jobs.c.ordinal < 0).order_by(jobs.c.ordinal).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        return BaselineJob(
            row["ordinal"], JobState(row["state"]), row["ingested_at"] is not None, row["failure"]
        )

    def unfinished(self) -> int:
        """How many jobs wait or run."""
        query = select(func.count()).where(jobs.c.state.in_(_OPEN_STATES))
        with self._database.read() as connection:
            return connection.execute(query).scalar_one()

    def queue(self) -> list[str]:
        """Move every pending job into the queue; the ids of all queued jobs not yet sent."""
        with self._database.begin() as connection:
            connection.execute(
                update(jobs)
                .where(jobs.c.state == JobState.PENDING)
                .values(state=JobState.QUEUED, dispatched_at=None)
            )
            query = select(jobs.c.id).where(
                jobs.c.state == JobState.QUEUED, jobs.c.dispatched_at.is_(None)
            )
            return list(connection.execute(query.order_by(jobs.c.ordinal)).scalars())

    def unanswered(self, *, older_than_seconds: float) -> list[str]:
        """The ids of jobs that were sent that long ago and that no worker has claimed."""
        query = select(jobs.c.id).where(
            jobs.c.state == JobState.QUEUED, jobs.c.dispatched_at < now() - older_than_seconds
        )
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(jobs.c.ordinal)).scalars())

    def dispatched(self, job_ids: Sequence[str]) -> None:
        """Note that a message has been sent for each of these jobs."""
        with self._database.begin() as connection:
            connection.execute(
                update(jobs).where(jobs.c.id.in_(job_ids)).values(dispatched_at=now())
            )

    def reap(self, *, max_attempts: int) -> tuple[list[str], list[str]]:
        """End the leases that have run out: the ids queued again, and those given up as lost."""
        expired = (jobs.c.state == JobState.RUNNING) & (jobs.c.lease_until < now())
        with self._database.begin() as connection:
            lost = connection.execute(
                update(jobs)
                .where(expired, jobs.c.lost_leases + 1 >= max_attempts)
                .values(
                    state=JobState.FAILED,
                    token=None,
                    lease_until=None,
                    lost_leases=jobs.c.lost_leases + 1,
                    finished_at=now(),
                    failure_kind=FailureKind.LOST,
                    failure=f"its worker died or fell silent {max_attempts} times",
                )
                .returning(jobs.c.id)
            )
            given_up = list(lost.scalars())
            again = connection.execute(
                update(jobs)
                .where(expired)
                .values(
                    state=JobState.QUEUED,
                    token=None,
                    lease_until=None,
                    lost_leases=jobs.c.lost_leases + 1,
                    dispatched_at=None,
                )
                .returning(jobs.c.id)
            )
            return list(again.scalars()), given_up

    def ended(self, *, limit: int = 500) -> list[EndedJob]:
        """Jobs in a final state that were not ingested, by ordinal."""
        query = (
            select(jobs)
            .where(jobs.c.state.in_(list(FINAL_STATES)), jobs.c.ingested_at.is_(None))
            .order_by(jobs.c.ordinal)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [
                EndedJob(
                    row["id"],
                    JobKind(row["kind"]),
                    JobState(row["state"]),
                    row["island"],
                    row["commit"],
                    row["failure"],
                )
                for row in connection.execute(query).mappings()
            ]

    def ingested(self, connection: Connection, job_id: str, outcome: str | None) -> bool:
        """Note what the archive made of a job; False when that was noted before."""
        noted = connection.execute(
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.ingested_at.is_(None))
            .values(ingested_at=now(), archive_outcome=outcome)
        )
        return noted.rowcount == 1
