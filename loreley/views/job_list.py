"""Jobs page by page, as people look through them: always along an index."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select

from loreley.core.jobs import JobKind, JobState
from loreley.db.engine import Database
from loreley.db.experiment import read_experiment
from loreley.db.models import calls, commits, jobs
from loreley.map_elites.objective import Objective

_FULL_ID_LENGTH = 36


class JobOrder(StrEnum):
    """By what a list begins with."""

    NEWEST = "newest"
    FITTEST = "fittest"
    LONGEST = "longest"


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs are wanted; None means all."""

    state: JobState | None = None
    kind: JobKind | None = None
    agent: str | None = None
    outcome: str | None = None  # what became of its commit in the archive


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job as one line of a list."""

    job_id: str
    ordinal: int
    kind: JobKind
    state: JobState
    island: int
    agent: str | None
    operator: str | None
    subject: str | None
    failure_kind: str | None
    failure: str | None
    outcome: str | None
    commit: str | None
    fitness: float | None  # in the metric's own direction
    gain: float | None  # over its base, as measured; positive is fitter
    dollars: float | None  # that its calls have cost, as far as that is known
    seconds: float | None  # from its last claim to its end
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs in order; of the newest the bounds are numbers of jobs, else numbers of pages."""

    lines: tuple[JobLine, ...]
    older_than: int | None  # ask below it for the next page; None: this is the last
    newer_than: int | None  # ask above it for the page before; None: this is the first
    following: int | None = None
    previous: int | None = None


def read_page(
    database: Database,
    wanted: JobFilter,
    *,
    limit: int,
    below: int | None = None,
    above: int | None = None,
) -> JobPage:
    """The newest jobs, those numbered below ``below``, or the ones next above ``above``."""
    upwards = above is not None and below is None
    conditions = [*_to_conditions(wanted)]
    if below is not None:
        conditions.append(jobs.c.ordinal < below)
    if upwards:
        conditions.append(jobs.c.ordinal > above)
    order = jobs.c.ordinal.asc() if upwards else jobs.c.ordinal.desc()
    query = _select_lines().where(*conditions).order_by(order).limit(limit + 1)
    found = _read_lines(database, query)
    has_more, shown = len(found) > limit, found[:limit]
    if upwards:
        shown.reverse()
    return _to_page(
        shown,
        has_older=bool(shown) if upwards else has_more,
        has_newer=has_more if upwards else below is not None,
    )


def read_sorted_page(
    database: Database, wanted: JobFilter, order: JobOrder, *, limit: int, number: int
) -> JobPage:
    """A page of the fittest jobs, or of those that took longest; the first has the number 0."""
    by: ColumnElement[float] = commits.c.score
    conditions = _to_conditions(wanted)
    if order is JobOrder.LONGEST:
        by = jobs.c.finished_at - jobs.c.claimed_at
    else:  # along the index of fitness: along that of a state all of its jobs would be sorted
        conditions = _to_conditions(wanted, lambda column: func.coalesce(column, ""))
    query = (
        _select_lines()
        .where(by.is_not(None), *conditions)
        .order_by(by.desc())
        .limit(limit + 1)
        .offset(number * limit)
    )
    found = _read_lines(database, query)
    return JobPage(
        tuple(found[:limit]),
        None,
        None,
        following=number + 1 if len(found) > limit else None,
        previous=number - 1 if number else None,
    )


def read_latest(database: Database, *, limit: int) -> list[JobLine]:
    """The jobs that were taken in last, the latest first."""
    query = _select_lines().where(jobs.c.ingested_at.is_not(None))
    return _read_lines(database, query.order_by(jobs.c.ingested_at.desc()).limit(limit))


def read_children(database: Database, commit: str, *, limit: int) -> list[JobLine]:
    """The jobs that made judged commits from this one, the fittest first."""
    query = _select_lines().where(commits.c.parent == commit)
    by_fitness = query.order_by(commits.c.score.desc().nulls_last())
    return _read_lines(database, by_fitness.limit(limit))


def find_job(database: Database, text: str) -> str | None:
    """The id of the one job with this number, commit or beginning of an id; None without."""
    wanted = text.strip().lower().removeprefix("#")
    if not wanted or len(wanted) > 64:
        return None
    if wanted.removeprefix("-").isdecimal() and len(wanted) < 8:
        condition: ColumnElement[bool] = jobs.c.ordinal == int(wanted)
    elif not set(wanted) <= set("0123456789abcdef-"):
        return None
    else:
        condition = _begins_with(jobs.c.id, wanted)
    with database.read() as connection:
        found = connection.execute(select(jobs.c.id).where(condition).limit(2)).scalars().all()
        if not found and len(wanted) != _FULL_ID_LENGTH:
            made = select(commits.c.job_id).where(_begins_with(commits.c.commit, wanted)).limit(2)
            found = connection.execute(made).scalars().all()
    return found[0] if len(found) == 1 else None


def agents_seen(database: Database) -> list[str]:
    """The names of the agents that jobs of late were given to, for a choice among them."""
    recent = select(jobs.c.agent).order_by(jobs.c.ordinal.desc()).limit(1000).subquery()
    query = select(recent.c.agent).where(recent.c.agent.is_not(None)).distinct()
    with database.read() as connection:
        return sorted(connection.execute(query).scalars())


def _select_lines() -> Select[tuple[Any, ...]]:
    joined = jobs.outerjoin(
        commits, and_(commits.c.commit == jobs.c.commit, commits.c.job_id == jobs.c.id)
    )
    return select(jobs, commits.c.score).select_from(joined)


def _read_lines(database: Database, query: Select[tuple[Any, ...]]) -> list[JobLine]:
    with database.read() as connection:
        rows = connection.execute(query).all()
        if not rows:
            return []
        known = read_experiment(connection)
        bases = _read_scores(connection, {row._mapping["base_commit"] for row in rows})
        costs = _read_costs(connection, [row._mapping["id"] for row in rows])
    objective = known.objective if known else None
    return [_to_line(row, objective, bases, costs) for row in rows]


def _read_scores(connection: Connection, names: set[str]) -> dict[str, float]:
    query = select(commits.c.commit, commits.c.score).where(
        commits.c.commit.in_(names), commits.c.score.is_not(None)
    )
    return {row.commit: row.score for row in connection.execute(query)}


def _read_costs(connection: Connection, job_ids: Sequence[str]) -> dict[str, float | None]:
    query = (
        select(calls.c.job_id, func.sum(calls.c.dollars).label("dollars"))
        .where(calls.c.job_id.in_(job_ids))
        .group_by(calls.c.job_id)
    )
    return {row.job_id: row.dollars for row in connection.execute(query)}


def _begins_with(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    # A range is found in the index on every database; LIKE is not.
    return and_(column >= text, column < f"{text}g", column.startswith(text, autoescape=True))


def _to_conditions(
    wanted: JobFilter,
    seen_as: Callable[[ColumnElement[str]], ColumnElement[str]] = lambda column: column,
) -> list[ColumnElement[bool]]:
    pairs = (
        (jobs.c.state, wanted.state),
        (jobs.c.kind, wanted.kind),
        (jobs.c.agent, wanted.agent),
        (jobs.c.archive_outcome, wanted.outcome),
    )
    conditions = [seen_as(column) == value for column, value in pairs if value is not None]
    if wanted.outcome is not None:  # of jobs without a commit it repeats the state
        conditions.append(jobs.c.commit.is_not(None))
    return conditions


def _to_page(shown: Sequence[JobLine], *, has_older: bool, has_newer: bool) -> JobPage:
    return JobPage(
        tuple(shown),
        older_than=shown[-1].ordinal if shown and has_older else None,
        newer_than=shown[0].ordinal if shown and has_newer else None,
    )


def _to_line(
    row: Row[Any],
    objective: Objective | None,
    bases: Mapping[str, float],
    costs: Mapping[str, float | None],
) -> JobLine:
    job = row._mapping
    score = job["score"]
    base = bases.get(job["base_commit"]) if job["base_commit"] != job["commit"] else None
    fitness = objective.fitness(score) if objective and score is not None else None
    began, ended = job["claimed_at"], job["finished_at"]
    return JobLine(
        job_id=job["id"],
        ordinal=job["ordinal"],
        kind=JobKind(job["kind"]),
        state=JobState(job["state"]),
        island=job["island"],
        agent=job["agent"],
        operator=job["operator"],
        subject=job["subject"],
        failure_kind=job["failure_kind"],
        failure=job["failure"],
        outcome=job["archive_outcome"],
        commit=job["commit"],
        fitness=fitness,
        gain=score - base if score is not None and base is not None else None,
        dollars=costs.get(job["id"]),
        seconds=ended - began if began is not None and ended is not None else None,
        finished_at=None if ended is None else datetime.fromtimestamp(ended, UTC),
    )
