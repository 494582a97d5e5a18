"""Every judged commit as a point: when it was judged, how fit it is, and where it comes from."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from loreley.core.evaluation.paired_test import Verdict
from loreley.db.engine import Database
from loreley.db.experiment import read_experiment
from loreley.db.judged_commits import read_moves
from loreley.db.models import commits, confirmations, jobs, notes
from loreley.map_elites.plateaus import find_plateaus
from loreley.views.wording import shorten

_LONGEST_TEXT = 120
_MOST_NOTES = 50


@dataclass(frozen=True, slots=True)
class Point:
    """A judged commit; its fitness and that figure's standard error in the metric's direction."""

    at: float  # seconds since 1970 UTC
    ordinal: int  # of the job that made it
    fitness: float
    error: float  # 0: not known, or exact
    agent: str
    operator: str
    island: int
    outcome: str
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment at which something else than an evaluation was."""

    at: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Cloud:
    """The points in the order in which they were judged; where there are many, every so manyth."""

    points: tuple[Point, ...]
    marks: tuple[Mark, ...]
    count: int  # of the commits that have a fitness
    step: int


def read_cloud(database: Database, *, at_most: int) -> Cloud:
    """The judged commits that have a fitness, ``at_most`` about so many of them."""
    with database.read() as connection:
        known = read_experiment(connection)
        if known is None:
            return Cloud((), (), 0, 1)
        has_fitness = commits.c.score.is_not(None)
        counted = select(func.count()).select_from(commits).where(has_fitness)
        count = connection.execute(counted).scalar_one()
        step = max(1, -(-count // at_most))
        query = (
            select(
                commits.c.created_at,
                commits.c.score,
                commits.c.error,
                jobs.c.ordinal,
                jobs.c.kind,
                jobs.c.agent,
                jobs.c.operator,
                jobs.c.island,
                jobs.c.archive_outcome,
                confirmations.c.verdict,
            )
            .join(jobs, jobs.c.id == commits.c.job_id)
            .outerjoin(confirmations, confirmations.c.commit == commits.c.commit)
            .where(has_fitness, (jobs.c.ordinal % step == 0) | confirmations.c.verdict.is_not(None))
            .order_by(commits.c.created_at)
        )
        fitness = known.objective.fitness
        points = tuple(_to_point(row, fitness(row.score)) for row in connection.execute(query))
        return Cloud(points, _read_marks(connection), count, step)


def _to_point(row: Any, fitness: float) -> Point:
    return Point(
        at=row.created_at,
        ordinal=row.ordinal,
        fitness=fitness,
        error=row.error or 0.0,
        agent=row.agent or row.kind,
        operator=row.operator or row.agent or row.kind,
        island=row.island,
        outcome=row.archive_outcome or "waits",
        is_confirmed=row.verdict == Verdict.CONFIRMED,
    )


def _read_marks(connection: Connection) -> tuple[Mark, ...]:
    by_people = (
        select(notes.c.created_at, notes.c.text)
        .where(notes.c.job_id.is_(None))
        .order_by(notes.c.created_at.desc())
        .limit(_MOST_NOTES)
    )
    marks = [
        Mark(row.created_at, "note", shorten(row.text, _LONGEST_TEXT))
        for row in connection.execute(by_people)
    ]
    newest = connection.execute(select(func.max(jobs.c.ordinal))).scalar()
    plateaus = find_plateaus(read_moves(connection)[0], newest or 0)
    begun = {plateau.begin: plateau for plateau in plateaus}
    query = select(jobs.c.ordinal, jobs.c.finished_at).where(
        jobs.c.ordinal.in_(list(begun)), jobs.c.finished_at.is_not(None)
    )
    for row in connection.execute(query):
        end = begun[row.ordinal].end
        until = f"to job {end}" if end is not None else "still"
        marks.append(Mark(row.finished_at, "plateau", f"from job {row.ordinal}, {until}"))
    return tuple(sorted(marks, key=lambda mark: mark.at))
