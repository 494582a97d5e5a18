"""Candidates that seem better than an elite, but not beyond the noise."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, func, select

from loreley.core.jobs import JobKind
from loreley.db.engine import Database, now
from loreley.db.models import challenges, elites, jobs, metrics


@dataclass(frozen=True, slots=True)
class Challenge:
    """A commit that challenges the elite of a cell."""

    island: int
    cell: int
    commit: str
    measures: tuple[float, ...]


def add_challenge(database: Database, connection: Connection, challenge: Challenge) -> None:
    """Keep a challenge; again is fine."""
    connection.execute(
        database.insert(challenges)
        .values(
            island=challenge.island,
            cell=challenge.cell,
            commit=challenge.commit,
            measures=list(challenge.measures),
            created_at=now(),
        )
        .on_conflict_do_nothing()
    )


def read_challenges_with(connection: Connection, commit: str) -> list[Challenge]:
    """Every challenge in which the commit takes part, as elite or as challenger."""
    return _read_challenges(
        connection, (challenges.c.commit == commit) | (elites.c.commit == commit)
    )


def read_stalled_challenges(connection: Connection) -> list[Challenge]:
    """The challenges that no measurement under way will decide: their elite has changed since."""
    measured = select(jobs.c.base_commit).where(
        jobs.c.ingested_at.is_(None), jobs.c.kind == JobKind.MEASUREMENT
    )
    return _read_challenges(
        connection,
        challenges.c.commit.not_in(measured)
        & (elites.c.commit.is_(None) | elites.c.commit.not_in(measured)),
    )


def _read_challenges(connection: Connection, condition: ColumnElement[bool]) -> list[Challenge]:
    of_cell = (elites.c.island == challenges.c.island) & (elites.c.cell == challenges.c.cell)
    query = (
        select(challenges)
        .outerjoin(elites, of_cell)
        .where(condition)
        .order_by(challenges.c.created_at, challenges.c.commit)
    )
    return [
        Challenge(row["island"], row["cell"], row["commit"], tuple(row["measures"]))
        for row in connection.execute(query).mappings()
    ]


def drop_challenge(connection: Connection, challenge: Challenge) -> None:
    """Forget a challenge that is decided."""
    connection.execute(
        delete(challenges).where(
            challenges.c.island == challenge.island,
            challenges.c.cell == challenge.cell,
            challenges.c.commit == challenge.commit,
        )
    )


def sum_measuring_seconds(connection: Connection) -> float:
    """How long measurements that were made once more have taken together."""
    query = select(func.sum(jobs.c.finished_at - jobs.c.claimed_at)).where(
        jobs.c.ordinal < 0,  # found by their index
        jobs.c.kind == JobKind.MEASUREMENT,
    )
    return connection.execute(query).scalar() or 0.0


def count_samples(connection: Connection, commits: Sequence[str]) -> dict[str, int]:
    """How often each of these commits has been measured: by its metrics or by the jobs.

    Jobs count too, as a measurement may report none of the metrics there were before.
    """
    query = select(metrics.c.commit, metrics.c.samples).where(metrics.c.commit.in_(commits))
    most: dict[str, int] = {}
    for row in connection.execute(query):
        most[row.commit] = max(most.get(row.commit, 0), len(row.samples))
    ended = (
        select(jobs.c.base_commit, func.count().label("count"))
        .where(
            jobs.c.ordinal < 0,  # found by their index, unlike commits
            jobs.c.kind == JobKind.MEASUREMENT,
            jobs.c.ingested_at.is_not(None),
            jobs.c.base_commit.in_(commits),
        )
        .group_by(jobs.c.base_commit)
    )
    for each in connection.execute(ended).mappings():
        most[each["base_commit"]] = max(most.get(each["base_commit"], 0), each["count"])
    return most
