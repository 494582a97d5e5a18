"""Which commits were measured beside the root, and which one is called the best."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from loreley.core.evaluation.confirmation import Confirmation
from loreley.core.evaluation.holdout import Holdout, HoldoutResult
from loreley.core.evaluation.paired_test import Difference, Verdict
from loreley.db.archive import fittest_elites
from loreley.db.engine import Database, now
from loreley.db.models import commits, confirmations, elites, experiment, holdouts

PASSED, FAILED = "passed", "failed"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What is known of a commit that was measured beside the root."""

    commit: str
    verdict: Verdict
    difference: Difference | None  # of scores, positive is better; None: there is no pair
    reason: str  # why the pairs could not decide, where they could not
    holdout: Holdout | None  # None: it was not asked

    @property
    def holds(self) -> bool:
        """Whether it is better than the root, on what was held out too."""
        passed = self.holdout is None or not self.holdout.objection
        return self.verdict is Verdict.CONFIRMED and passed


def record_confirmation(
    database: Database,
    connection: Connection,
    commit: str,
    job_id: str,
    confirmation: Confirmation,
    holdout: Holdout | None,
) -> None:
    """Keep what a commit has shown; what was known of it before is replaced."""
    difference = confirmation.difference
    row = {
        "job_id": job_id,
        "verdict": confirmation.verdict,
        "estimate": difference.estimate if difference else None,
        "margin": difference.margin if difference else None,
        "root_scores": list(confirmation.root_scores),
        "scores": list(confirmation.scores),
        "reason": confirmation.reason,
        "holdout": (FAILED if holdout.objection else PASSED) if holdout else None,
        "holdout_reason": holdout.objection if holdout else None,
        "finished_at": now(),
    }
    insert = database.insert(confirmations).values(commit=commit, **row)
    connection.execute(insert.on_conflict_do_update(index_elements=["commit"], set_=row))
    for result in holdout.results if holdout else ():
        insert = database.insert(holdouts).values(
            commit=result.commit,
            scores=list(result.scores),
            failure=result.failure,
            created_at=now(),
        )
        connection.execute(insert.on_conflict_do_nothing())


def read_holdout(connection: Connection, commit: str) -> HoldoutResult | None:
    """What the hold-out has said of a commit; None: it was not asked yet."""
    row = connection.execute(select(holdouts).where(holdouts.c.commit == commit)).first()
    return HoldoutResult(row.commit, tuple(row.scores), row.failure) if row else None


def read_confirmed(connection: Connection, commit: str) -> Confirmed | None:
    """What is known of a commit from beside the root; None: it was not measured there."""
    row = connection.execute(select(confirmations).where(confirmations.c.commit == commit)).first()
    if row is None:
        return None
    holdout = None
    if row.holdout is not None:
        root = connection.execute(select(experiment.c.root_commit)).scalar_one()
        results = [read_holdout(connection, each) or HoldoutResult(each) for each in (root, commit)]
        holdout = Holdout(*results)
    return Confirmed(
        commit=commit,
        verdict=Verdict(row.verdict),
        difference=None
        if row.estimate is None
        else Difference(row.estimate, row.margin, len(row.scores)),
        reason=row.reason,
        holdout=holdout,
    )


def best_commit(connection: Connection, *, island: int | None = None) -> str | None:
    """The commit that is called the best, of one island or of all; None: none yet.

    The fittest elite (of equals the first); where it was measured beside the root and is not
    better, the fittest commit that is, as far as there is one. Not simply the highest score: under
    noise that is the luckiest measurement.
    """
    tops = fittest_elites().subquery()
    query = (
        select(tops.c.commit)
        .join(commits, commits.c.commit == tops.c.commit)
        .order_by(tops.c.score.desc(), commits.c.created_at)
    )
    if island is not None:
        query = query.where(tops.c.island == island)
    fittest: str | None = connection.execute(query.limit(1)).scalar()
    if fittest is None or island is not None:
        return fittest
    known = read_confirmed(connection, fittest)
    if known is None or known.holds:
        return fittest
    return fittest_confirmed(connection) or fittest


def next_finalist(connection: Connection, *, most_doubtful: int) -> str | None:
    """The fittest elite that is to be measured beside the root; None: there is nothing to ask.

    Nothing is where a fitter one holds, or where the ``most_doubtful`` fittest are not confirmed:
    each further try would be another chance for noise. The root itself is no finalist.
    """
    root = connection.execute(select(experiment.c.root_commit)).scalar_one()
    doubtful = 0
    for commit in _by_fitness(connection, root, limit=10 * most_doubtful):
        known = read_confirmed(connection, commit)
        if known is None:
            return commit
        if known.holds:
            return None
        doubtful += known.verdict is Verdict.NOT_CONFIRMED
        if doubtful >= most_doubtful:
            return None
    return None


def _by_fitness(connection: Connection, root: str, *, limit: int) -> Sequence[str]:
    """Elites fitter than the root, the fittest first; of equals the first made."""
    root_score = select(commits.c.score).where(commits.c.commit == root).scalar_subquery()
    query = (
        select(commits.c.commit)
        .where(
            commits.c.commit.in_(select(elites.c.commit)),
            commits.c.commit != root,
            (commits.c.score > root_score) | root_score.is_(None),
        )
        .order_by(commits.c.score.desc(), commits.c.created_at)
        .limit(limit)
    )
    return connection.execute(query).scalars().all()


def fittest_confirmed(connection: Connection) -> str | None:
    """The fittest commit that is better than the root; None: there is none yet."""
    query = (
        select(commits.c.commit)
        .join(confirmations, confirmations.c.commit == commits.c.commit)
        .where(
            confirmations.c.verdict == Verdict.CONFIRMED,
            confirmations.c.holdout.is_(None) | (confirmations.c.holdout == PASSED),
        )
        .order_by(commits.c.score.desc(), commits.c.created_at)
        .limit(1)
    )
    return connection.execute(query).scalar()
