"""The notebook: notes of people, and what agents say they have found out, with its figures."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    case,
    func,
    literal,
    select,
    update,
)

from loreley.core.evaluation.paired_test import Verdict
from loreley.core.findings import Effect, Finding, MeasuredFinding
from loreley.core.jobs import FINAL_STATES, SEARCHING, Claim, JobRecord, JobState
from loreley.db.confirmations import FAILED
from loreley.db.engine import Database, now
from loreley.db.experiment import Experiment
from loreley.db.judged_commits import to_storable
from loreley.db.models import commits, confirmations, jobs, notes, trials
from loreley.map_elites.fitness import CONFIDENCE, Estimate

_GENERATIONS = 50  # of a base, whose jobs' findings bear on it
_MOST_READ = 200  # findings, the newest
_AFTER_HEX = "g"


@dataclass(frozen=True, slots=True)
class Note:
    """A line of people for every later brief."""

    id: int
    text: str
    created_at: float  # seconds since 1970, UTC


def add_note(database: Database, note: str) -> int:
    """Keep a note for every later agent; its number."""
    with database.begin() as connection:
        added = notes.insert().values(text=note, created_at=now()).returning(notes.c.id)
        return int(connection.execute(added).scalar_one())


def withdraw_note(database: Database, note_id: int) -> bool:
    """Withdraw a note or finding; False where none of this number stands."""
    with database.begin() as connection:
        withdrawn = connection.execute(
            update(notes)
            .where(notes.c.id == note_id, notes.c.withdrawn_at.is_(None))
            .values(withdrawn_at=now())
        )
        return withdrawn.rowcount == 1


def read_standing_notes(connection: Connection) -> list[Note]:
    """The notes of people that were not withdrawn, the oldest first."""
    query = select(notes).where(notes.c.withdrawn_at.is_(None), notes.c.job_id.is_(None))
    return [
        Note(row.id, row.text, row.created_at)
        for row in connection.execute(query.order_by(notes.c.id))
    ]


def insert_findings(
    connection: Connection, claim: Claim, record: JobRecord, own_tree: str | None
) -> None:
    """Keep what the agent of a job has found out; ``own_tree`` is that of the job's commit.

    What rests on no judged commit, and on no state that the job has judged, is left out.
    """
    for finding in record.findings:
        tree = _find_tree(connection, claim, finding.state) if finding.state else own_tree
        if tree is not None:
            row = {"text": to_storable(finding.text), "effect": finding.effect, "tree": tree}
            connection.execute(notes.insert().values(job_id=claim.job_id, created_at=now(), **row))


def read_findings(
    connection: Connection, known: Experiment, base_commit: str | None = None
) -> list[MeasuredFinding]:
    """The findings that were not withdrawn with their figures, the newest first and not too many.

    With ``base_commit`` those of jobs that began with it or one of its ancestors.
    """
    is_of_the_judge = trials.c.judge.is_not_distinct_from(known.judge_digest)
    query = (
        select(notes, jobs.c.base_commit, commits.c.commit, commits.c.parent)
        .add_columns(commits.c.score, commits.c.error, trials.c.evaluation, trials.c.failure)
        .add_columns(confirmations.c.verdict, confirmations.c.holdout)
        .join(jobs, jobs.c.id == notes.c.job_id)
        .outerjoin(commits, commits.c.tree == notes.c.tree)
        .outerjoin(confirmations, confirmations.c.commit == commits.c.commit)
        .outerjoin(
            trials,
            (trials.c.tree == notes.c.tree) & (trials.c.job_id == jobs.c.id) & is_of_the_judge,
        )
        .where(notes.c.withdrawn_at.is_(None))
    )
    if base_commit is not None:
        query = query.where(jobs.c.base_commit.in_(_select_line(base_commit)))
    found = connection.execute(query.order_by(notes.c.id.desc()).limit(_MOST_READ)).all()
    if not found:
        return []
    rows = {row.id: row for row in found}.values()
    bases = _read_scores(connection, {row.parent or row.base_commit for row in rows})
    heirs = _read_heirs(connection, {row.commit for row in rows if row.commit})
    return [_measure(known, row, bases, heirs) for row in rows]


def _measure(
    known: Experiment,
    row: Row[Any],
    bases: Mapping[str, tuple[float, float]],
    heirs: Mapping[str, tuple[int, int]],
) -> MeasuredFinding:
    base, base_error = bases.get(row.parent or row.base_commit, (None, 0.0))
    is_trial = row.commit is None
    score = _score(known, row.evaluation) if is_trial else row.score
    error = base_error if is_trial else row.error or 0.0
    ended, better = heirs.get(row.commit, (0, 0))
    holds = row.verdict == Verdict.CONFIRMED and row.holdout != FAILED
    return MeasuredFinding(
        id=row.id,
        finding=Finding(Effect(row.effect), row.text, row.commit or row.tree),
        has_failed=is_trial and row.failure is not None,
        gain=None if score is None or base is None else score - base,
        margin=CONFIDENCE * sqrt(error**2 + base_error**2),
        is_confirmed=None if row.verdict is None else holds,
        heirs=ended,
        better_heirs=better,
        created_at=row.created_at,
    )


def _score(known: Experiment, evaluation: Mapping[str, Any] | None) -> float | None:
    """The score of a state that was judged while an agent was at work; None: it has none."""
    if evaluation is None:
        return None
    figures = {each["name"]: each["value"] for each in evaluation["metrics"]}
    estimate = known.objective.judge(figures, {})
    return estimate.score if isinstance(estimate, Estimate) else None


def _select_line(commit: str) -> Select[tuple[str]]:
    """A commit and its ancestors, back through some generations."""
    first = select(commits.c.commit, commits.c.parent, literal(0).label("generation"))
    line = first.where(commits.c.commit == commit).cte("line", recursive=True)
    line = line.union_all(
        select(commits.c.commit, commits.c.parent, line.c.generation + 1).where(
            commits.c.commit == line.c.parent, line.c.generation < _GENERATIONS
        )
    )
    return select(line.c.commit)


def _read_scores(
    connection: Connection, wanted: Collection[str]
) -> Mapping[str, tuple[float, float]]:
    """The scores of commits with their standard errors; those that have none are left out."""
    query = select(commits.c.commit, commits.c.score, commits.c.error).where(
        commits.c.commit.in_(wanted), commits.c.score.is_not(None)
    )
    return {row.commit: (row.score, row.error or 0.0) for row in connection.execute(query)}


def _read_heirs(connection: Connection, wanted: Collection[str]) -> Mapping[str, tuple[int, int]]:
    """How many jobs went on from each commit and have ended, and how many with a better one."""
    heir, base = commits.alias("heir"), commits.alias("base")
    better = func.sum(case((heir.c.score > base.c.score, 1), else_=0))
    query = (
        select(jobs.c.base_commit, func.count().label("ended"), better.label("better"))
        .join(base, base.c.commit == jobs.c.base_commit)
        .outerjoin(heir, heir.c.commit == jobs.c.commit)
        .where(
            jobs.c.base_commit.in_(wanted),
            jobs.c.kind.in_(SEARCHING),
            jobs.c.state.in_(FINAL_STATES - {JobState.CANCELLED}),
        )
        .group_by(jobs.c.base_commit)
    )
    return {row.base_commit: (row.ended, row.better) for row in connection.execute(query)}


def _find_tree(connection: Connection, claim: Claim, begin: str) -> str | None:
    """The tree of the only judged commit, or state that the job has judged, that begins so."""

    def begins(column: Column[str]) -> ColumnElement[bool]:
        return (column >= begin) & (column < begin + _AFTER_HEX)

    of_commits = select(commits.c.tree).where(begins(commits.c.commit) | begins(commits.c.tree))
    of_trials = select(trials.c.tree).where(begins(trials.c.tree), trials.c.job_id == claim.job_id)
    found: Sequence[str] = connection.execute(of_commits.union(of_trials).limit(2)).scalars().all()
    return found[0] if len(found) == 1 else None
