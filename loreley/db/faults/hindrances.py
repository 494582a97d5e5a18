"""What kept jobs from their end and no candidate caused, of all workers; and what it proves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, exists, func, select

from loreley.core.jobs import FINAL_STATES, SEARCHING, Claim, Hindrance, JobState
from loreley.db.engine import now
from loreley.db.judged_commits import to_storable
from loreley.db.models import hindrances, jobs
from loreley.errors import Fault
from loreley.likeness import likeness

_A_FEW = 3  # hindrances in a row that are no accident
_LENGTH = 2_000
_ENDED = jobs.c.state.in_([state for state in FINAL_STATES if state is not JobState.CANCELLED])


@dataclass(frozen=True, slots=True)
class NotedHindrance:
    """A hindrance with when it was met."""

    fault: Fault
    reason: str
    fix: str
    at: float
    until: float | None


def insert_hindrance(connection: Connection, claim: Claim, hindrance: Hindrance) -> None:
    """Note what a worker has met that holds the job."""
    wait = hindrance.wait_seconds
    connection.execute(
        hindrances.insert().values(
            job_id=claim.job_id,
            worker=select(jobs.c.worker).where(jobs.c.id == claim.job_id).scalar_subquery(),
            fault=hindrance.fault,
            reason=to_storable(hindrance.reason)[:_LENGTH],
            fix=to_storable(hindrance.fix)[:_LENGTH],
            at=now(),
            until=None if wait is None else now() + wait,
        )
    )


def read_last_hindrance(connection: Connection) -> NotedHindrance | None:
    """The latest of any worker; None before the first."""
    row = connection.execute(_latest(1)).mappings().first()
    return _to_noted(row) if row else None


def find_common_hindrance(
    connection: Connection, *, since: float, at_once: bool
) -> NotedHindrance | None:
    """What every recent result of every worker is alike; None while one differs.

    Only what was met after ``since`` counts. With ``at_once`` a single one is enough where the
    provider says how long it will last.
    """
    latest = list(connection.execute(_latest(_A_FEW).where(hindrances.c.at > since)).mappings())
    if at_once and latest and latest[0]["until"] is not None:
        del latest[1:]
    elif len(latest) < _A_FEW:
        return None
    if len({(row["fault"], likeness(row["reason"])) for row in latest}) > 1:
        return None
    first_at = latest[-1]["at"]
    if has_worked_since(connection, first_at) or _others_are_at_work(connection, first_at):
        return None
    return _to_noted(latest[0])


def has_worked_since(connection: Connection, at: float) -> bool:
    """Whether a job was claimed and ended after that moment, or ended though it was hindered."""
    was_hindered = exists().where(hindrances.c.job_id == jobs.c.id)
    return _any(
        connection, _ENDED & (jobs.c.finished_at > at) & ((jobs.c.claimed_at > at) | was_hindered)
    )


def is_alone_in_failing(connection: Connection, worker: str) -> bool:
    """Whether the worker was hindered several times in a row while another was not at all."""
    own = list(connection.execute(_latest(_A_FEW).where(hindrances.c.worker == worker)).mappings())
    if len(own) < _A_FEW or len({row["job_id"] for row in own}) < 2:  # it may be the job's fault
        return False
    first_at = own[-1]["at"]
    ended_since = _ENDED & (jobs.c.finished_at > first_at) & (jobs.c.claimed_at > first_at)
    return not _any(connection, ended_since & (jobs.c.worker == worker)) and _any(
        connection, ended_since & (jobs.c.worker != worker)
    )


def find_hopeless_jobs(connection: Connection) -> Sequence[tuple[str, str]]:
    """The ids of waiting jobs that are hindered again and again while others are not; and why."""
    repeated = (
        select(
            hindrances.c.job_id,
            func.min(hindrances.c.at).label("first_at"),
            func.max(hindrances.c.id).label("last"),
        )
        .join(jobs, jobs.c.id == hindrances.c.job_id)
        .where(jobs.c.kind.in_(SEARCHING), jobs.c.state == JobState.QUEUED)
        .group_by(hindrances.c.job_id)
        .having(func.count() >= _A_FEW)
        .subquery()
    )
    query = select(repeated.c.job_id, repeated.c.first_at, hindrances.c.reason).join(
        hindrances, hindrances.c.id == repeated.c.last
    )
    found = connection.execute(query).all()
    return [(row.job_id, row.reason) for row in found if has_worked_since(connection, row.first_at)]


def _latest(count: int) -> Select[Any]:
    return select(hindrances).order_by(hindrances.c.id.desc()).limit(count)


def _others_are_at_work(connection: Connection, at: float) -> bool:
    """Whether a worker that has not been hindered since has a job."""
    hindered = select(hindrances.c.worker).where(hindrances.c.at >= at)
    return _any(connection, (jobs.c.state == JobState.RUNNING) & jobs.c.worker.not_in(hindered))


def _any(connection: Connection, condition: ColumnElement[bool]) -> bool:
    return connection.execute(select(jobs.c.id).where(condition).limit(1)).first() is not None


def _to_noted(row: RowMapping) -> NotedHindrance:
    return NotedHindrance(Fault(row["fault"]), row["reason"], row["fix"], row["at"], row["until"])
