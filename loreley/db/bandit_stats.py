"""What the choice among agents, operators and places has learnt, kept between starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from loreley.core.evaluation.evaluation import Evaluation
from loreley.core.jobs import EDITING, SEARCHING, JobKind, JobRecord, Tries
from loreley.db.engine import Database
from loreley.db.models import arms, calls, evaluations, jobs, metrics, places
from loreley.map_elites.bandit import Arm


def read_arms(connection: Connection, kind: str) -> Mapping[str, Arm]:
    """The arms of a kind, ``agent`` or ``operator``, by name."""
    rows = connection.execute(select(arms).where(arms.c.kind == kind))
    return {row.name: Arm(row.trials, row.successes, row.cost) for row in rows}


def write_arm(
    database: Database, connection: Connection, *, kind: str, name: str, arm: Arm
) -> None:
    """Keep what an arm has done."""
    values = {"trials": arm.trials, "successes": arm.successes, "cost": arm.cost}
    insert = database.insert(arms).values(kind=kind, name=name, **values)
    connection.execute(
        insert.on_conflict_do_update(index_elements=[arms.c.kind, arms.c.name], set_=values)
    )


@dataclass(frozen=True, slots=True)
class TuningShare:
    """How much of a run has gone into tuning so far."""

    jobs: int  # that tune, ended or not
    running: int  # of these, not ended yet
    seconds: float  # that the ended ones took
    other_seconds: float  # that all other jobs which look for commits took
    root_evaluation_seconds: float | None  # None: the root was not judged yet


def read_tuning_share(connection: Connection, root_commit: str) -> TuningShare:
    """How much of a run has gone into tuning."""
    taken = func.coalesce(func.sum(jobs.c.finished_at - jobs.c.claimed_at), 0.0)
    ended = func.count(jobs.c.finished_at)
    query = (
        select(jobs.c.kind, func.count(), ended, taken)
        .where(jobs.c.kind.in_(SEARCHING))
        .group_by(jobs.c.kind)
    )
    found = {row[0]: row for row in connection.execute(query)}
    _, count, over, seconds = found.get(JobKind.TUNE, (None, 0, 0, 0.0))
    other_seconds = sum(found[kind][3] for kind in EDITING if kind in found)
    root = select(evaluations.c.seconds).where(evaluations.c.commit == root_commit)
    return TuningShare(
        count, count - over, seconds, other_seconds, connection.execute(root).scalar()
    )


def read_cost(connection: Connection, job_id: str, seconds: float) -> float:
    """What a job of so many seconds has cost, in seconds, its dollars turned into such.

    A dollar counts as the seconds in which the calls of the run spend one on average: time and
    money weigh the same over all of them.
    """
    spent = func.coalesce(func.sum(calls.c.dollars), 0.0)
    taken = func.coalesce(func.sum(calls.c.seconds), 0.0)
    all_dollars, all_seconds = connection.execute(select(spent, taken)).one()
    if not all_dollars:
        return seconds
    own = connection.execute(select(spent).where(calls.c.job_id == job_id)).scalar_one()
    return float(seconds + own * all_seconds / all_dollars)


def is_tuned(connection: Connection, commit: str) -> bool:
    """Whether a job tunes the numbers of a commit, or has done so."""
    known = select(jobs.c.id).where(jobs.c.kind == JobKind.TUNE, jobs.c.base_commit == commit)
    return connection.execute(known.limit(1)).first() is not None


def read_tries(connection: Connection, wanted: Sequence[str]) -> Mapping[str, Tries]:
    """The tries at these places, by name; those never changed are left out."""
    rows = connection.execute(select(places).where(places.c.place.in_(wanted)))
    return {row.place: Tries(row.changed, row.moved) for row in rows}


def add_try(database: Database, connection: Connection, record: JobRecord, *, moved: bool) -> None:
    """Count a job's change of its places, and whether a metric moved."""
    changed = record.places if moved else [*record.places, *record.shared_places]
    for place in sorted(changed):  # in one order, so that no two workers wait for each other
        insert = database.insert(places).values(place=place, changed=1, moved=int(moved))
        counted = {
            "changed": places.c.changed + 1,
            "moved": places.c.moved + int(moved),
        }
        connection.execute(
            insert.on_conflict_do_update(index_elements=[places.c.place], set_=counted)
        )


def differs_from(connection: Connection, base: str, evaluation: Evaluation) -> bool:
    """Whether any metric is another than that of the base commit."""
    figures = select(metrics.c.name, metrics.c.value).where(metrics.c.commit == base)
    known = {row.name: row.value for row in connection.execute(figures)}
    return known != {each.name: each.value for each in evaluation.metrics}
