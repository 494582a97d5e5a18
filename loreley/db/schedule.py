"""The jobs in the database as the scheduler sees them: create, dispatch, reap, ingest."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, RowMapping, false, func, select, update

from loreley.core.jobs import FINAL_STATES, SEARCHING, JobKind, JobState
from loreley.db.engine import Database, now
from loreley.db.experiment import Experiment, read_experiment
from loreley.db.models import experiment, jobs
from loreley.errors import FailureKind

_CLOCK_SECONDS = 5.0  # a clock that is set right by less moves no lease
_EXPIRED = (jobs.c.state == JobState.RUNNING) & (jobs.c.lease_until < now())


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that is about to be created."""

    kind: JobKind
    ordinal: int
    seed: int
    base_commit: str
    inspirations: tuple[str, ...] = ()
    island: int = 0
    agent: str | None = None
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class EndedJob:
    """A job in a final state that the archive has not seen yet."""

    job_id: str
    kind: JobKind
    state: JobState
    island: int
    base_commit: str
    commit: str | None
    agent: str | None
    operator: str | None
    seconds: float  # from its last claim to its end
    failure: str | None
    fix: str | None = None  # what the failure says should be changed
    tries: int = 0  # evaluations beside its commit's


@dataclass(frozen=True, slots=True)
class BaselineJob:
    """How the evaluation of the root commit, or a further measurement, stands."""

    job_id: str
    state: JobState
    ingested: bool
    failure: str | None

    @property
    def has_failed(self) -> bool:
        """Whether it has ended without figures, and was taken in as that."""
        return self.ingested and self.state in (JobState.FAILED, JobState.REJECTED)


class Schedule:
    """What the scheduler asks of the database; several calls may share one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def experiment(self) -> Experiment | None:
        """The experiment of this database, or None before its first start."""
        with self._database.read() as connection:
            return read_experiment(connection)

    def begin_experiment(self, wanted: Experiment) -> Experiment:
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
            known = read_experiment(connection)
        assert known is not None
        return known

    def create(self, job: NewJob) -> str:
        """Add a pending job and return its id.

        A job of the same ordinal, made by another scheduler, is left as it is.
        """
        with self._database.begin() as connection:
            return insert_job(self._database, connection, job)

    def create_extra(self, kind: JobKind, commit: str) -> None:
        """Add a pending job that is no part of the budget, unless one is under way."""
        with self._database.begin() as connection:
            insert_extra(self._database, connection, kind, commit)

    def next_ordinal(self) -> int:
        """The number of the next evolution job, which is how many there have been."""
        with self._database.read() as connection:
            last = connection.execute(select(func.max(jobs.c.ordinal))).scalar()
        return 0 if last is None else max(0, last + 1)

    def find_last_measurement(self, commit: str) -> BaselineJob | None:
        """The latest job that measures a commit once more, or None."""
        wanted = (jobs.c.kind == JobKind.MEASUREMENT) & (jobs.c.base_commit == commit)
        return self._find_last_extra(wanted)

    def find_last_baseline(self) -> BaselineJob | None:
        """The latest evaluation of the root commit, or None before the first."""
        return self._find_last_extra(jobs.c.kind == JobKind.BASELINE)

    def _find_last_extra(self, wanted: ColumnElement[bool]) -> BaselineJob | None:
        query = select(jobs).where(jobs.c.ordinal < 0, wanted).order_by(jobs.c.ordinal).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        return BaselineJob(
            row["id"], JobState(row["state"]), row["ingested_at"] is not None, row["failure"]
        )

    def queue_pending(self) -> list[str]:
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
            # As they were created: with one worker the order of jobs then repeats exactly.
            in_order = query.order_by(jobs.c.created_at, jobs.c.ordinal)
            return list(connection.execute(in_order).scalars())

    def find_returned(self, job_ids: Sequence[str]) -> set[str]:
        """Those of these jobs that a worker has had before: they have waited for long enough."""
        query = select(jobs.c.id).where(jobs.c.id.in_(job_ids), jobs.c.attempt > 0)
        with self._database.read() as connection:
            return set(connection.execute(query).scalars())

    def find_unclaimed(self, *, older_than_seconds: float) -> list[str]:
        """The ids of jobs that were sent that long ago and that no worker has claimed."""
        query = select(jobs.c.id).where(
            jobs.c.state == JobState.QUEUED, jobs.c.dispatched_at < now() - older_than_seconds
        )
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(jobs.c.ordinal)).scalars())

    def mark_dispatched(self, job_ids: Sequence[str]) -> None:
        """Note that a message has been sent for each of these jobs."""
        with self._database.begin() as connection:
            connection.execute(
                update(jobs).where(jobs.c.id.in_(job_ids)).values(dispatched_at=now())
            )

    def find_expired_leases(self) -> list[str]:
        """The tokens of leases that have run out; waits until the database can be written to.

        A lease that was renewed in what is the future now, as the clock was set back, has its whole
        length from now on: a worker that lives renews it before that is over.
        """
        ahead = update(jobs).where(
            jobs.c.state == JobState.RUNNING, jobs.c.renewed_at > now() + _CLOCK_SECONDS
        )
        length = jobs.c.lease_until - jobs.c.renewed_at
        with self._database.begin() as connection:
            connection.execute(ahead.values(lease_until=now() + length, renewed_at=now()))
            return list(connection.execute(select(jobs.c.token).where(_EXPIRED)).scalars())

    def reap(
        self, *, max_attempts: int, tokens: Sequence[str] | None = None
    ) -> tuple[list[str], list[str]]:
        """End the leases that have run out: the ids queued again, and those given up as lost.

        With ``tokens`` only those of them.
        """
        expired = _EXPIRED if tokens is None else _EXPIRED & jobs.c.token.in_(tokens)
        # All are locked, in one order, before the first is changed: a worker that holds one of them
        # and looks for a twin among the others is then never waited for by whom it waits for.
        locked = select(jobs.c.id).where(expired).order_by(jobs.c.id)
        with self._database.begin() as connection:
            ids = list(connection.execute(locked.with_for_update(key_share=True)).scalars())
            held = jobs.c.id.in_(ids) & (jobs.c.state == JobState.RUNNING)
            lost = connection.execute(
                update(jobs)
                .where(held, jobs.c.lost_leases + 1 >= max_attempts)
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
                .where(held)
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

    def find_ended(self, *, limit: int = 100) -> list[EndedJob]:
        """Jobs in a final state that can be ingested now, in the order in which they ended."""
        is_anew = func.coalesce(select(experiment.c.judges_anew).scalar_subquery(), false())
        query = (
            select(jobs)
            .where(
                jobs.c.state.in_(list(FINAL_STATES)),
                jobs.c.ingested_at.is_(None),
                # What came of them is compared with elites that have no figures at the moment.
                ~is_anew | jobs.c.kind.not_in(SEARCHING),
            )
            .order_by(jobs.c.finished_at, jobs.c.ordinal)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_to_ended_job(row) for row in connection.execute(query).mappings()]

    def cancel_waiting(self, why: str, *, measurements: bool = False) -> int:
        """Cancel the jobs of the budget that no worker has begun; how many.

        With ``measurements`` also those that would measure a commit once more.
        """
        kinds = [*SEARCHING, *([JobKind.MEASUREMENT] if measurements else [])]
        with self._database.begin() as connection:
            cancelled = connection.execute(
                update(jobs)
                .where(
                    jobs.c.kind.in_(kinds),
                    jobs.c.state.in_([JobState.PENDING, JobState.QUEUED]),
                )
                .values(state=JobState.CANCELLED, finished_at=now(), failure=why)
            )
            return cancelled.rowcount

    def cancel(self, job_id: str, why: str, *, is_running: bool = False) -> bool:
        """Cancel a job of the budget that waits, or is running; False when there is none.

        A worker that has it finds out within a second or two, and gives it up.
        """
        states = [JobState.RUNNING] if is_running else [JobState.PENDING, JobState.QUEUED]
        with self._database.begin() as connection:
            cancelled = connection.execute(
                update(jobs)
                .where(
                    jobs.c.id == job_id,
                    jobs.c.kind.in_(SEARCHING),
                    jobs.c.state.in_(states),
                )
                .values(
                    state=JobState.CANCELLED,
                    token=None,
                    lease_until=None,
                    finished_at=now(),
                    failure=why,
                )
            )
            return cancelled.rowcount == 1

    def count_cancelled(self) -> int:
        """How many jobs of the budget were cancelled, and so cost nothing of it."""
        query = (
            select(func.count())
            .select_from(jobs)
            .where(jobs.c.ordinal >= 0, jobs.c.state == JobState.CANCELLED)
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar_one()

    def count_unfinished(self) -> int:
        """How many jobs wait, run, or have ended without being ingested."""
        query = select(func.count()).select_from(jobs).where(jobs.c.ingested_at.is_(None))
        with self._database.read() as connection:
            return connection.execute(query).scalar_one()


def insert_job(database: Database, connection: Connection, job: NewJob) -> str:
    """Add a pending job, unless there is one of its ordinal, and return its id."""
    job_id = str(uuid4())
    connection.execute(
        database.insert(jobs)
        .values(
            id=job_id,
            ordinal=job.ordinal,
            kind=job.kind,
            state=JobState.PENDING,
            island=job.island,
            agent=job.agent,
            operator=job.operator,
            seed=job.seed,
            base_commit=job.base_commit,
            inspirations=list(job.inspirations),
            created_at=now(),
        )
        .on_conflict_do_nothing(index_elements=[jobs.c.ordinal])
    )
    return job_id


def insert_extra(
    database: Database, connection: Connection, kind: JobKind, commit: str, *, seed: int = 0
) -> None:
    """Add a pending job that is no part of the budget, unless one of its kind is under way.

    Extra jobs are numbered downwards from -1.
    """
    under_way = select(jobs.c.id).where(
        jobs.c.ingested_at.is_(None), jobs.c.kind == kind, jobs.c.base_commit == commit
    )
    if connection.execute(under_way.limit(1)).first() is None:
        first = connection.execute(select(func.min(jobs.c.ordinal))).scalar()
        insert_job(database, connection, NewJob(kind, min(0, first or 0) - 1, seed, commit))


def mark_ingested(connection: Connection, job: EndedJob) -> bool:
    """Note that a job is being ingested, and count it; False when that was done before.

    To be called first in the transaction: it keeps other schedulers waiting until its end.
    """
    taken = connection.execute(
        update(jobs)
        .where(jobs.c.id == job.job_id, jobs.c.ingested_at.is_(None))
        .values(ingested_at=now())
    )
    if taken.rowcount == 0:
        return False
    counted = job.kind.changes_base
    judged = job.state is JobState.SUCCEEDED and job.kind.makes_commit
    connection.execute(
        update(experiment).values(
            ended_jobs=experiment.c.ended_jobs + int(counted),
            judged_commits=experiment.c.judged_commits + int(judged),
        )
    )
    return True


def note_outcome(connection: Connection, job: EndedJob, outcome: str) -> None:
    """Write down what became of a job's commit."""
    connection.execute(update(jobs).where(jobs.c.id == job.job_id).values(archive_outcome=outcome))


def _to_ended_job(row: RowMapping) -> EndedJob:
    return EndedJob(
        job_id=row["id"],
        kind=JobKind(row["kind"]),
        state=JobState(row["state"]),
        island=row["island"],
        base_commit=row["base_commit"],
        commit=row["commit"],
        agent=row["agent"],
        operator=row["operator"],
        seconds=max(0.0, (row["finished_at"] or 0) - (row["claimed_at"] or 0)),
        failure=row["failure"],
        fix=row["fix"],
        tries=row["tries"],
    )
