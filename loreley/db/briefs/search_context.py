"""What is known when a job begins: the aim, people's notes, and how attempts nearby failed."""

from collections.abc import Sequence

from sqlalchemy import Connection, or_, select

from loreley.core.agents.protocol import PastFailure, SearchContext
from loreley.core.findings import choose_findings
from loreley.core.jobs import Claim, JobState
from loreley.db.briefs.notebook import read_findings, read_standing_notes
from loreley.db.engine import Database
from loreley.db.experiment import read_experiment
from loreley.db.models import artifacts, commits, jobs
from loreley.map_elites.objective import Objective

_MOST_FAILURES = 5
_TAIL_BYTES = 2_000
_BASE_LOG_BYTES = 64 * 1024
_LOGS = ("failure.log", "evaluation.log")  # the first that there is says what went wrong


def read_search_context(database: Database, claim: Claim) -> SearchContext:
    """What the experiment seeks, what is noted, and how attempts nearby have failed."""
    with database.read() as connection:
        known = read_experiment(connection)
        objective = known.objective if known else Objective()
        findings = read_findings(connection, known, claim.base_commit) if known else []
        return SearchContext(
            aim=_describe_aim(objective),
            constraints=tuple(each.text for each in objective.constraints),
            notes=tuple(note.text for note in read_standing_notes(connection)),
            findings=tuple(each.describe() for each in choose_findings(findings)),
            failures=_read_past_failures(connection, [claim.base_commit, *claim.inspirations]),
            base_log=_read_evaluation_log(connection, claim.base_commit),
        )


def _describe_aim(objective: Objective) -> str:
    """What the experiment seeks, in a sentence for an agent."""
    if objective.metric:
        direction = "more" if objective.higher_is_better else "less"
        return f"What counts is the metric {objective.metric}: {direction} of it is better."
    if objective.weights:
        weights = ", ".join(term.text for term in objective.weights)
        return f"What counts is a weighted sum of metrics, more of it is better: {weights}."
    return ""


def _read_past_failures(
    connection: Connection, commits_nearby: Sequence[str]
) -> tuple[PastFailure, ...]:
    """The latest attempts from these commits, or from their parents, that led to nothing.

    The newest is last. Attempts whose agent had no proposal are left out.
    """
    parents = select(commits.c.parent).where(
        commits.c.commit.in_(commits_nearby), commits.c.parent.is_not(None)
    )
    query = (
        select(jobs.c.id, jobs.c.attempt, jobs.c.subject, jobs.c.failure)
        .where(
            jobs.c.state.in_([JobState.FAILED, JobState.REJECTED]),
            jobs.c.subject.is_not(None),
            or_(jobs.c.base_commit.in_(commits_nearby), jobs.c.base_commit.in_(parents)),
        )
        .order_by(jobs.c.finished_at.desc())
        .limit(_MOST_FAILURES)
    )
    found = [
        PastFailure(
            row.subject or "", row.failure or "", _read_log(connection, row.id, row.attempt)
        )
        for row in connection.execute(query).all()
    ]
    return tuple(reversed(found))


def _read_log(connection: Connection, job_id: str, attempt: int) -> str:
    query = select(artifacts.c.name, artifacts.c.content).where(
        artifacts.c.job_id == job_id, artifacts.c.attempt == attempt, artifacts.c.name.in_(_LOGS)
    )
    logs = {row.name: row.content for row in connection.execute(query)}
    content = next((logs[name] for name in _LOGS if name in logs), b"")
    return content[-_TAIL_BYTES:].decode(errors="replace")


def _read_evaluation_log(connection: Connection, commit: str) -> str:
    """The end of what the evaluator printed about a commit."""
    query = (
        select(artifacts.c.content)
        .join(commits, commits.c.job_id == artifacts.c.job_id)
        .where(commits.c.commit == commit, artifacts.c.name == "evaluation.log")
        .order_by(artifacts.c.attempt.desc())
        .limit(1)
    )
    content: bytes = connection.execute(query).scalar() or b""
    return content[-_BASE_LOG_BYTES:].decode(errors="replace")
