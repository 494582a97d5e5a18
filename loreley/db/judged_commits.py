"""Judged commits in the database: each a row of its own, with its evaluation and its metrics."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, func, select, update

from loreley.core.evaluation.evaluation import Evaluation, Metric, merged
from loreley.core.jobs import JudgedCommit
from loreley.core.worktrees.footprint import BUILT_IN_MEASURES
from loreley.db.engine import Database, now
from loreley.db.models import commits, evaluations, metrics
from loreley.errors import CandidateRejected


def read_judged_commits(connection: Connection, wanted: Sequence[str]) -> list[JudgedCommit]:
    """The judged ones of these commits, in their order."""
    query = select(*commits.c).where(commits.c.commit.in_(wanted))
    found = {row["commit"]: row for row in connection.execute(query).mappings()}
    judged = _read_evaluations(connection, list(found))
    return [_to_judged_commit(found[each], judged[each]) for each in wanted if each in found]


def insert_judged_commit(
    database: Database, connection: Connection, job_id: str, judged: JudgedCommit
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
            commit=judged.commit, summary=evaluation.summary, seconds=evaluation.seconds
        )
    )
    connection.execute(
        metrics.insert(),
        [
            {
                "commit": judged.commit,
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
    """How long the first evaluations of all commits have taken together."""
    return connection.execute(select(func.sum(evaluations.c.seconds))).scalar() or 0.0


def merge_measurement(connection: Connection, commit: str, evaluation: Evaluation) -> None:
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
