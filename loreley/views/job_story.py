"""Everything the database knows of one job."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import RowMapping, select

from loreley.core.evaluation.evaluation import Artifact, Metric
from loreley.core.jobs import FailedTry, JobKind, JobState, Trial
from loreley.db.engine import Database
from loreley.db.jobs import Jobs
from loreley.db.judged_commits import read_failed_tries, read_trials
from loreley.db.models import artifacts, jobs

MOST_MATCHES = 20
_SHOWN_ID_LENGTH = 8  # fewer digits are a job's number


@dataclass(frozen=True, slots=True)
class JobStory:
    """One job, from its creation to what became of it; times are None until they happen."""

    job_id: str
    ordinal: int
    kind: JobKind
    state: JobState
    island: int
    attempt: int
    worker: str | None
    base_commit: str
    inspirations: tuple[str, ...]
    agent: str | None
    operator: str | None
    created_at: datetime
    claimed_at: datetime | None
    finished_at: datetime | None
    failure_kind: str | None
    failure: str | None
    archive_outcome: str | None
    commit: str | None
    branch: str | None
    subject: str | None
    metrics: tuple[Metric, ...]
    artifacts: tuple[Artifact, ...]  # of its last attempt
    failed: tuple[FailedTry, ...]  # what that tried in vain before
    trials: tuple[Trial, ...]  # what its agent had judged while it was at work


def find_jobs(database: Database, beginning: str) -> list[str]:
    """The id of the job with this number, else those that begin so; at most `MOST_MATCHES`."""
    number = beginning.removeprefix("#")
    if number.removeprefix("-").isdecimal() and len(number) < _SHOWN_ID_LENGTH:
        condition = jobs.c.ordinal == int(number)
    else:
        condition = jobs.c.id.startswith(beginning.lower(), autoescape=True)
    query = select(jobs.c.id).where(condition).order_by(jobs.c.ordinal).limit(MOST_MATCHES)
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def read_job_story(database: Database, job_id: str) -> JobStory | None:
    """The story of a job; None when there is no such job."""
    with database.read() as connection:
        job = connection.execute(select(jobs).where(jobs.c.id == job_id)).mappings().first()
        if job is None:
            return None
        kept = select(artifacts).where(
            artifacts.c.job_id == job_id, artifacts.c.attempt == job["attempt"]
        )
        files = connection.execute(kept.order_by(artifacts.c.name)).mappings().all()
        failed = read_failed_tries(connection, job_id)
        trials = read_trials(connection, job_id)
    return _to_story(database, job, files, failed, trials)


def _to_story(
    database: Database,
    job: RowMapping,
    files: Sequence[RowMapping],
    failed: Sequence[FailedTry],
    trials: Sequence[Trial],
) -> JobStory:
    judged = next(iter(Jobs(database).find_judged([job["commit"]] if job["commit"] else [])), None)
    return JobStory(
        job_id=job["id"],
        ordinal=job["ordinal"],
        kind=JobKind(job["kind"]),
        state=JobState(job["state"]),
        island=job["island"],
        attempt=job["attempt"],
        worker=job["worker"],
        base_commit=job["base_commit"],
        inspirations=tuple(job["inspirations"]),
        agent=job["agent"],
        operator=job["operator"],
        created_at=datetime.fromtimestamp(job["created_at"], UTC),
        claimed_at=_to_time(job["claimed_at"]),
        finished_at=_to_time(job["finished_at"]),
        failure_kind=job["failure_kind"],
        failure=job["failure"],
        archive_outcome=job["archive_outcome"],
        commit=job["commit"],
        branch=judged.branch if judged else None,
        subject=judged.subject if judged else None,
        metrics=judged.evaluation.metrics if judged else (),
        artifacts=tuple(Artifact(row["name"], row["media_type"], row["content"]) for row in files),
        failed=tuple(failed),
        trials=tuple(trials),
    )


def _to_time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
