"""What is kept for a while only: texts of agents, and branches that nothing needs."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Select, delete, func, select, update

from loreley.core.evaluation.evaluation import AGENT_ARTIFACTS
from loreley.core.evaluation.paired_test import Verdict
from loreley.core.jobs import FINAL_STATES
from loreley.db.archive import fittest_elites
from loreley.db.engine import Database, now
from loreley.db.models import artifacts, challenges, commits, confirmations, elites, jobs

_ASKED_AT_ONCE = 500


def forget_agent_artifacts(database: Database, *, older_than_hours: float) -> int:
    """Delete the prompts and answers of agents, if it is that old; how many texts."""
    with database.begin() as connection:
        gone = connection.execute(
            delete(artifacts).where(
                artifacts.c.name.in_(AGENT_ARTIFACTS),
                artifacts.c.created_at < now() - older_than_hours * 3600,
            )
        )
        return gone.rowcount


def has_ended_before(database: Database, hours: float) -> bool:
    """Whether a job was taken into the archive and ended that long ago."""
    with database.read() as connection:
        return (
            connection.execute(select(jobs.c.id).where(_ended_before(hours)).limit(1)).first()
            is not None
        )


def forget_branches(database: Database, *, older_than_hours: float) -> int:
    """Note of every commit that old which nothing needs that it has no branch; how many.

    Needed are elites, candidates under measurement, confirmed commits, all that the highest score
    and each island's best come from, and what jobs under way begin with.
    """
    with database.begin() as connection:
        forgotten = connection.execute(
            update(commits)
            .where(
                commits.c.branch.is_not(None),
                commits.c.job_id.in_(select(jobs.c.id).where(_ended_before(older_than_hours))),
                commits.c.commit.not_in(_used_by_unfinished_jobs(connection)),
                commits.c.commit.not_in(select(elites.c.commit)),
                commits.c.commit.not_in(select(challenges.c.commit)),
                commits.c.commit.not_in(_select_confirmed()),
                commits.c.commit.not_in(_select_best_paths()),
            )
            .values(branch=None)
        )
        return forgotten.rowcount


def find_unneeded_branches(
    database: Database, branches: dict[str, str], *, older_than_hours: float
) -> list[str]:
    """The names among ``branches``, jobs by name, that no commit is recorded with.

    Only of jobs that ended that long ago; a job that is not in this database is another run's.
    """
    with database.read() as connection:
        ended = _select_among(
            connection,
            select(jobs.c.id).where(_ended_before(older_than_hours)),
            jobs.c.id,
            sorted(set(branches.values())),
        )
        names = [name for name, job_id in branches.items() if job_id in ended]
        recorded = _select_among(connection, select(commits.c.branch), commits.c.branch, names)
    return [name for name in names if name not in recorded]


def _ended_before(hours: float) -> ColumnElement[bool]:
    return (
        jobs.c.state.in_(list(FINAL_STATES))
        & jobs.c.ingested_at.is_not(None)
        & (jobs.c.finished_at < now() - hours * 3600)
    )


def _used_by_unfinished_jobs(connection: Connection) -> list[str]:
    under_way = select(jobs.c.base_commit, jobs.c.inspirations).where(jobs.c.ingested_at.is_(None))
    rows = connection.execute(under_way).all()
    return sorted({name for row in rows for name in (row.base_commit, *row.inspirations)})


def _select_confirmed() -> Select[str]:
    return select(confirmations.c.commit).where(confirmations.c.verdict == Verdict.CONFIRMED)


def _select_best_paths() -> Select[str]:
    """The highest score, the best of each island, and all that they come from."""
    highest = commits.c.score == select(func.max(commits.c.score)).scalar_subquery()
    best = highest | commits.c.commit.in_(select(fittest_elites().subquery().c.commit))
    line = select(commits.c.commit, commits.c.parent).where(best).cte("line", recursive=True)
    parents = select(commits.c.commit, commits.c.parent).join(
        line, line.c.parent == commits.c.commit
    )
    return select(line.union(parents).c.commit)


def _select_among(
    connection: Connection,
    query: Select[str],
    column: ColumnElement[str],
    wanted: Sequence[str],
) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(wanted), _ASKED_AT_ONCE):
        piece = wanted[start : start + _ASKED_AT_ONCE]
        found.update(connection.execute(query.where(column.in_(piece))).scalars().all())
    return found
