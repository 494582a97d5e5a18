"""Whether the run pauses: no job is given out then but one that tries whether it may go on."""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, func, select, update

from loreley.core.jobs import JobState
from loreley.db.engine import Database, now
from loreley.db.models import experiment, hindrances, jobs
from loreley.errors import Fault


@dataclass(frozen=True, slots=True)
class Pause:
    """Why no job is given out, and when one is to try again; moments by the database's clock."""

    fault: Fault
    why: str
    fix: str
    since: float
    probe_at: float  # when the next job may try
    until: float | None = None  # when the provider says it is over
    probes: int = 0  # jobs that have tried, so far
    probe: str | None = None  # the id of the one that may be claimed
    is_over: bool = False  # the run has ended by it, and goes on when it is started again

    @property
    def is_asked_for(self) -> bool:
        """Whether a person has asked for it, who alone ends it."""
        return self.fault is Fault.PERSON


def read_pause(connection: Connection) -> Pause | None:
    """The pause that holds at the moment, for every process."""
    said = connection.execute(select(experiment.c.pause)).scalar()
    return Pause(**(said | {"fault": Fault(said["fault"])})) if said else None


def begin_pause(database: Database, pause: Pause) -> None:
    """Let no job be claimed any more but the pause's probe."""
    with database.begin() as connection:
        connection.execute(update(experiment).values(pause=asdict(pause)))


def end_pause(database: Database) -> None:
    """Give out jobs again: messages for them were dropped meanwhile."""
    with database.begin() as connection:
        connection.execute(update(experiment).values(pause=None))
        connection.execute(
            update(jobs).where(jobs.c.state == JobState.QUEUED).values(dispatched_at=None)
        )


def read_clock(connection: Connection) -> float:
    """The database's clock."""
    return float(connection.execute(select(now())).scalar_one())


def has_running_jobs(connection: Connection) -> bool:
    """Whether a worker has a job."""
    running = select(jobs.c.id).where(jobs.c.state == JobState.RUNNING).limit(1)
    return connection.execute(running).first() is not None


def find_probe(connection: Connection) -> str | None:
    """The waiting job that was hindered least, and of those the oldest."""
    hindered = (
        select(func.count())
        .where(hindrances.c.job_id == jobs.c.id)
        .correlate(jobs)
        .scalar_subquery()
    )
    waiting = jobs.c.state.in_([JobState.PENDING, JobState.QUEUED])
    query = select(jobs.c.id).where(waiting).order_by(hindered, jobs.c.created_at, jobs.c.ordinal)
    return connection.execute(query.limit(1)).scalar()
