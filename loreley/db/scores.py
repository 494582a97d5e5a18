"""The scores that the scheduler has given to judged commits."""

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from loreley.db.models import commits, elites
from loreley.map_elites.fitness import Estimate


@dataclass(frozen=True, slots=True)
class ScoredCommit:
    """A commit that has a score, with the islands where it may live."""

    commit: str
    islands: tuple[int, ...]  # its own, and those it migrated to
    estimate: Estimate
    vector: bytes  # of the code descriptor; empty where there is none


def write_score(
    connection: Connection, commit: str, estimate: Estimate, *, island: int | None = None
) -> None:
    """Keep a commit's score; the first time with its island, that of the job that made it."""
    home = {} if island is None else {"island": island}
    connection.execute(
        update(commits)
        .where(commits.c.commit == commit)
        .values(score=estimate.score, error=estimate.error, **home)
    )


def clear_score(connection: Connection, commit: str) -> None:
    """Note that a commit has no score any more."""
    connection.execute(
        update(commits).where(commits.c.commit == commit).values(score=None, error=None)
    )


def read_score(connection: Connection, commit: str) -> Estimate | None:
    """A commit's score; None where it has none."""
    query = select(commits.c.score, commits.c.error).where(commits.c.commit == commit)
    row = connection.execute(query).first()
    return Estimate(row.score, row.error) if row and row.score is not None else None


def read_scored_commits(connection: Connection) -> list[ScoredCommit]:
    """Every commit that has a score, in the order in which they were made.

    Without those whose branch was deleted: no job could begin with them.
    """
    homes: dict[str, set[int]] = {}
    for row in connection.execute(select(elites.c.island, elites.c.commit)):
        homes.setdefault(row.commit, set()).add(row.island)
    query = (
        select(commits)
        .where(
            commits.c.score.is_not(None),
            commits.c.branch.is_not(None) | commits.c.parent.is_(None),
        )
        .order_by(commits.c.created_at, commits.c.commit)
    )
    return [
        ScoredCommit(
            commit=row["commit"],
            islands=tuple(sorted(homes.get(row["commit"], set()) | {row["island"]})),
            estimate=Estimate(row["score"], row["error"]),
            vector=row["vector"] or b"",
        )
        for row in connection.execute(query).mappings()
    ]
