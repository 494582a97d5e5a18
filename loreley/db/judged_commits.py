"""Judged commits in the database: each a row of its own, with its evaluation and its metrics."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, delete, func, select, update

from loreley.core.evaluation.evaluation import Evaluation, Metric, merged
from loreley.core.jobs import Claim, FailedTry, JudgedCommit, Trial
from loreley.core.worktrees.footprint import BUILT_IN_MEASURES
from loreley.db.engine import Database, now
from loreley.db.models import (
    commits,
    elites,
    evaluations,
    experiment,
    failed_tries,
    jobs,
    metrics,
    trials,
)
from loreley.errors import CandidateRejected

_FAILURE_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class MeasuredBy:
    """Who has measured a commit; None: an earlier version did not say."""

    judge: str | None = None  # digest of its fingerprint
    host: str | None = None


def read_judged_commits(connection: Connection, wanted: Sequence[str]) -> list[JudgedCommit]:
    """The judged ones of these commits, in their order."""
    query = select(*commits.c).where(commits.c.commit.in_(wanted))
    found = {row["commit"]: row for row in connection.execute(query).mappings()}
    judged = _read_evaluations(connection, list(found))
    return [_to_judged_commit(found[each], judged[each]) for each in wanted if each in found]


def insert_judged_commit(
    database: Database,
    connection: Connection,
    job_id: str,
    judged: JudgedCommit,
    by: MeasuredBy,
) -> None:
    """Add a commit with its evaluation; raises `CandidateRejected` when its tree is there."""
    row = {
        "commit": judged.commit,
        "tree": judged.tree,
        "parent": judged.parent,
        "job_id": job_id,
        "branch": judged.branch,
        "subject": to_storable(judged.subject),
        "vector": judged.vector or None,
        **judged.footprint,
        "created_at": now(),
    }
    insert = database.insert(commits).values(row).on_conflict_do_nothing()
    if connection.execute(insert.returning(commits.c.tree)).first() is None:
        raise CandidateRejected("another job has judged the same tree", target=judged.tree)
    evaluation = judged.evaluation
    connection.execute(
        evaluations.insert().values(
            commit=judged.commit,
            summary=evaluation.summary,
            seconds=evaluation.seconds,
            judge=by.judge,
            host=by.host,
        )
    )
    _insert_metrics(connection, judged.commit, evaluation)


def insert_failed_try(
    connection: Connection, claim: Claim, tree: str, meaning: str | None, failed: FailedTry
) -> None:
    """Add a candidate that was judged in vain."""
    connection.execute(
        failed_tries.insert().values(
            job_id=claim.job_id,
            attempt=claim.attempt,
            number=failed.number,
            tree=tree,
            meaning=meaning,
            operator=failed.operator,
            subject=None if failed.subject is None else to_storable(failed.subject),
            failure=to_storable(failed.failure)[:_FAILURE_LENGTH],
            seconds=failed.seconds,
            finished_at=now(),
        )
    )


def read_failed_tries(connection: Connection, job_id: str) -> list[FailedTry]:
    """What a job's latest attempt has tried in vain, in its order."""
    query = (
        select(failed_tries)
        .join(jobs, jobs.c.id == failed_tries.c.job_id)
        .where(failed_tries.c.job_id == job_id, failed_tries.c.attempt == jobs.c.attempt)
        .order_by(failed_tries.c.number)
    )
    return [
        FailedTry(row.number, row.operator, row.subject, row.failure, row.seconds)
        for row in connection.execute(query)
    ]


def insert_trial(
    connection: Connection, claim: Claim, meaning: str | None, trial: Trial, by: MeasuredBy
) -> None:
    """Add what came of a trial."""
    connection.execute(
        trials.insert().values(
            job_id=claim.job_id,
            attempt=claim.attempt,
            number=trial.number,
            tree=trial.tree,
            meaning=meaning,
            evaluation=trial.evaluation and asdict(trial.evaluation),
            failure=to_storable(trial.failure)[:_FAILURE_LENGTH] or None,
            is_lasting=trial.is_lasting,
            judge=by.judge,
            host=by.host,
            seconds=trial.seconds,
            finished_at=now(),
        )
    )


def is_trial_known(connection: Connection, claim: Claim, number: int) -> bool:
    """Whether the trial of this number was recorded in this attempt."""
    query = select(trials.c.number).where(
        trials.c.job_id == claim.job_id,
        trials.c.attempt == claim.attempt,
        trials.c.number == number,
    )
    return connection.execute(query).first() is not None


def read_trials(connection: Connection, job_id: str) -> list[Trial]:
    """The trials of a job, in all its attempts, in their order."""
    query = select(trials).where(trials.c.job_id == job_id)
    return [
        Trial(
            row.number,
            row.tree,
            _to_evaluation(row.evaluation) if row.evaluation else None,
            failure=row.failure or "",
            is_lasting=row.is_lasting,
            seconds=row.seconds,
        )
        for row in connection.execute(query.order_by(trials.c.attempt, trials.c.number))
    ]


def read_trial(connection: Connection, tree: str, by: MeasuredBy) -> Evaluation | None:
    """What a judge has said of a tree on a host, in a trial; None: nothing, or it failed."""
    query = select(trials.c.evaluation).where(
        trials.c.tree == tree,
        trials.c.evaluation.is_not(None),
        trials.c.judge.is_not_distinct_from(by.judge),
        trials.c.host.is_not_distinct_from(by.host),
    )
    known: dict[str, Any] | None = connection.execute(query.limit(1)).scalar()
    return _to_evaluation(known) if known else None


def _to_evaluation(known: dict[str, Any]) -> Evaluation:
    figures = (Metric(**{**each, "samples": tuple(each["samples"])}) for each in known["metrics"])
    return Evaluation(known["summary"], tuple(figures), (), known["seconds"])


def read_best(connection: Connection) -> JudgedCommit | None:
    """The fittest commit; None where none has a fitness."""
    query = select(commits.c.commit).where(commits.c.score.is_not(None))
    best = connection.execute(query.order_by(commits.c.score.desc()).limit(1)).scalar()
    return next(iter(read_judged_commits(connection, [best])), None) if best else None


def _insert_metrics(connection: Connection, commit: str, evaluation: Evaluation) -> None:
    connection.execute(
        metrics.insert(),
        [
            {
                "commit": commit,
                "name": metric.name,
                "position": position,
                "value": metric.value,
                "samples": list(metric.samples or (metric.value,)),
                "unit": metric.unit,
                "higher_is_better": metric.higher_is_better,
                "says_direction": metric.says_direction,
            }
            for position, metric in enumerate(evaluation.metrics)
        ],
    )


def read_metrics(connection: Connection, commit: str) -> tuple[Metric, ...]:
    """The figures of one commit, in the evaluator's order; none where it was not judged."""
    query = select(metrics).where(metrics.c.commit == commit).order_by(metrics.c.position)
    return tuple(_to_metric(row) for row in connection.execute(query).mappings())


def sum_evaluated_seconds(connection: Connection) -> float:
    """How long the first evaluations of all commits, and all tries, have taken together."""
    of_commits = connection.execute(select(func.sum(evaluations.c.seconds))).scalar() or 0.0
    return of_commits + (connection.execute(select(func.sum(jobs.c.tried_seconds))).scalar() or 0.0)


def record_measurement(
    connection: Connection, commit: str, evaluation: Evaluation, by: MeasuredBy
) -> None:
    """Add what was measured to the commit's earlier figures; those of another judge it replaces."""
    query = select(evaluations.c.judge, evaluations.c.host).where(evaluations.c.commit == commit)
    before = MeasuredBy(*connection.execute(query).one())
    row: dict[str, object] = {}
    if before.judge != by.judge:
        connection.execute(delete(metrics).where(metrics.c.commit == commit))
        _insert_metrics(connection, commit, evaluation)
        row = {"summary": evaluation.summary, "seconds": evaluation.seconds, "judge": by.judge}
    else:
        _merge_measurement(connection, commit, evaluation)
    is_elsewhere = before.judge == by.judge and before.host != by.host
    row["host"] = None if is_elsewhere else by.host
    connection.execute(update(evaluations).where(evaluations.c.commit == commit).values(row))


def _merge_measurement(connection: Connection, commit: str, evaluation: Evaluation) -> None:
    """Add what was measured to the commit's earlier figures.

    Raises `EvaluationFailed` when the evaluator says another direction than it did then.
    """
    known = _read_evaluations(connection, [commit])[commit]
    for metric in merged([known, evaluation]).metrics:
        connection.execute(
            update(metrics)
            .where(metrics.c.commit == commit, metrics.c.name == metric.name)
            .values(value=metric.value, samples=list(metric.samples))
        )


def is_by_the_judge(connection: Connection, commit: str) -> bool:
    """Whether the experiment's judge has measured the commit, and not one of before."""
    query = (
        select(evaluations.c.commit)
        .join(experiment, evaluations.c.judge.is_not_distinct_from(experiment.c.judge_digest))
        .where(evaluations.c.commit == commit)
    )
    return connection.execute(query).first() is not None


def read_to_judge_anew(connection: Connection) -> list[Row[str, str | None, str | None]]:
    """Root and elites that another judge has measured: commit, judge, host; the root first."""
    root = select(experiment.c.root_commit).scalar_subquery()
    query = (
        select(evaluations.c.commit, evaluations.c.judge, evaluations.c.host)
        .join(experiment, evaluations.c.judge.is_distinct_from(experiment.c.judge_digest))
        .where((evaluations.c.commit == root) | evaluations.c.commit.in_(select(elites.c.commit)))
        .order_by(evaluations.c.commit != root, evaluations.c.commit)
    )
    return list(connection.execute(query))


def to_storable(text: str) -> str:
    """Text as every database takes it: what agents write and how files are called may be more."""
    return text.replace("\0", "\ufffd").encode(errors="backslashreplace").decode()


def _read_evaluations(connection: Connection, wanted: Sequence[str]) -> dict[str, Evaluation]:
    figures = select(metrics).where(metrics.c.commit.in_(wanted)).order_by(metrics.c.position)
    measured: dict[str, list[Metric]] = {commit: [] for commit in wanted}
    for row in connection.execute(figures).mappings():
        measured[row["commit"]].append(_to_metric(row))
    rows = connection.execute(select(evaluations).where(evaluations.c.commit.in_(wanted)))
    return {
        row.commit: Evaluation(row.summary, tuple(measured[row.commit]), (), row.seconds)
        for row in rows
    }


def _to_metric(row: RowMapping) -> Metric:
    samples = tuple(row["samples"])
    return Metric(
        row["name"],
        row["value"],
        row["unit"],
        row["higher_is_better"],
        samples if len(samples) > 1 else (),
        row["says_direction"],
    )


def _to_judged_commit(row: RowMapping, evaluation: Evaluation) -> JudgedCommit:
    return JudgedCommit(
        commit=row["commit"],
        tree=row["tree"],
        parent=row["parent"],
        branch=row["branch"],
        subject=row["subject"],
        footprint={name: row[name] for name in BUILT_IN_MEASURES},
        evaluation=evaluation,
        vector=row["vector"] or b"",
    )


def read_moves(
    connection: Connection, better_than: float | None = None
) -> tuple[list[int], float | None]:
    """The ordinals of jobs whose commit was the best when it came, and the score of the last.

    Those that are not ``better_than`` a score are left out. What came before the first job counts
    as its own.
    """
    before = func.max(commits.c.score).over(order_by=jobs.c.ordinal, rows=(None, -1))
    known = select(jobs.c.ordinal, commits.c.score, before.label("before")).join(
        jobs, jobs.c.id == commits.c.job_id
    )
    if better_than is not None:
        known = known.where(commits.c.score > better_than)
    scored = known.where(commits.c.score.is_not(None)).subquery()
    query = (
        select(scored.c.ordinal, scored.c.score)
        .where(scored.c.before.is_(None) | (scored.c.score > scored.c.before))
        .order_by(scored.c.ordinal)
    )
    rows = connection.execute(query).all()
    return [max(0, row.ordinal) for row in rows], rows[-1].score if rows else better_than
