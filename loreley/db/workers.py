"""The workers of every host: who is online, at what, and who is asked to take no further job."""

from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, update

from loreley.core.jobs import JobState
from loreley.db.engine import now
from loreley.db.models import jobs, workers

SILENT_SECONDS = 20.0  # a worker that was not seen for longer is taken for dead
_KEPT_SECONDS = 86_400.0  # after it has left or died
_HAS_IT = (jobs.c.worker == workers.c.name) & (jobs.c.state == JobState.RUNNING)
_IS_ONLINE = workers.c.left_at.is_(None) & (workers.c.seen_at > now() - SILENT_SECONDS)


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """A worker as it comes online."""

    id: str
    name: str
    host: str
    boot: str
    version: str
    sandbox: str


@dataclass(frozen=True, slots=True)
class SeenWorker(WorkerProcess):
    """A worker as the database knows it; ages in seconds by the database's clock."""

    age: float
    silent: float  # since it was seen last
    is_online: bool
    drains: bool
    last_word: str | None
    job: int | None  # the number of what it is at; None: it waits
    job_seconds: float | None
    left: float | None  # since it has left; None: it has not


def register(connection: Connection, worker: WorkerProcess) -> None:
    """Bring a worker online, and forget those that went long ago."""
    last = func.coalesce(workers.c.left_at, workers.c.seen_at)
    connection.execute(delete(workers).where(last < now() - _KEPT_SECONDS))
    connection.execute(workers.insert().values(**asdict(worker), started_at=now(), seen_at=now()))


def note_presence(connection: Connection, worker_id: str, last_word: str | None) -> None:
    """Say that a worker lives, and the last warning of its log."""
    connection.execute(
        update(workers)
        .where(workers.c.id == worker_id)
        .values(seen_at=now(), last_word=last_word, left_at=None)
    )


def note_leaving(connection: Connection, worker_id: str) -> None:
    """Say that a worker ends as it should."""
    connection.execute(update(workers).where(workers.c.id == worker_id).values(left_at=now()))


def is_draining(connection: Connection, worker_id: str) -> bool:
    """Whether a worker is asked to take no further job."""
    query = select(workers.c.drains).where(workers.c.id == worker_id)
    return bool(connection.execute(query).scalar())


def drain(connection: Connection, target: str) -> list[str]:
    """Ask the workers of a host, or one of them, to take no further job; the names of all asked.

    ``target`` is a host, a worker's name, or the beginning of its id of at least 8 characters.
    """
    named: list[ColumnElement[bool]] = [workers.c.host == target, workers.c.name == target]
    if len(target) >= 8:
        named.append(workers.c.id.startswith(target, autoescape=True))
    asked = (
        update(workers).where(_IS_ONLINE, or_(*named)).values(drains=True).returning(workers.c.name)
    )
    return sorted(connection.execute(asked).scalars())


def count_online(connection: Connection) -> int:
    """How many workers could take a job, or have one."""
    query = select(func.count()).select_from(workers).where(_IS_ONLINE, ~workers.c.drains)
    return connection.execute(query).scalar_one()


def read_workers(connection: Connection) -> list[SeenWorker]:
    """The workers of the last day, those that are online first, by host and name."""
    query = (
        select(
            workers,
            _IS_ONLINE.label("is_online"),
            (now() - workers.c.started_at).label("age"),
            (now() - workers.c.seen_at).label("silent"),
            (now() - workers.c.left_at).label("left"),
            jobs.c.ordinal,
            (now() - jobs.c.claimed_at).label("job_seconds"),
        )
        .outerjoin(jobs, _HAS_IT & _IS_ONLINE)
        .order_by((~_IS_ONLINE).label("gone"), workers.c.host, workers.c.name)
    )
    return [
        SeenWorker(
            id=row.id,
            name=row.name,
            host=row.host,
            boot=row.boot,
            version=row.version,
            sandbox=row.sandbox,
            age=row.age,
            silent=row.silent,
            is_online=bool(row.is_online),
            drains=row.drains,
            last_word=row.last_word,
            job=row.ordinal,
            job_seconds=row.job_seconds,
            left=row.left,
        )
        for row in connection.execute(query)
    ]


def find_namesakes(connection: Connection, worker: WorkerProcess) -> list[str]:
    """Workers online on another machine that has the same host name."""
    query = select(workers.c.name).where(
        _IS_ONLINE, workers.c.host == worker.host, workers.c.boot != worker.boot
    )
    return list(connection.execute(query).scalars())
