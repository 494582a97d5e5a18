"""Looking into a database from a test, and bringing jobs into a state."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import select

from loreley.core.evaluation.evaluation import Evaluation, Metric
from loreley.core.jobs import Claim, JobKind, JobRecord, JudgedCommit
from loreley.db.engine import Database
from loreley.db.jobs import Jobs
from loreley.db.models import commits, jobs, metadata
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import JobFailed


def rows(database: Database, table: str) -> list[dict[str, Any]]:
    """Every row of a table."""
    with database.read() as connection:
        found = connection.execute(select(metadata.tables[table])).mappings()
        return [dict(row) for row in found]


def job_row(database: Database, job_id: str) -> dict[str, Any]:
    """One job as it stands."""
    with database.read() as connection:
        query = select(jobs).where(jobs.c.id == job_id)
        return dict(connection.execute(query).mappings().one())


def create_commits(database: Database, count: int) -> list[str]:
    """So many judged commits of one job, as rows that others may refer to."""
    job_id = Schedule(database).create(NewJob(JobKind.EVOLUTION, 0, 7, "a" * 40))
    names = [f"{number:040x}" for number in range(count)]
    with database.begin() as connection:
        connection.execute(
            commits.insert(),
            [
                {
                    "commit": name,
                    "tree": name,
                    "job_id": job_id,
                    "subject": "",
                    "traits": {},
                    "edit_distance": 0,
                    "code_size": 0,
                    "created_at": number,
                }
                for number, name in enumerate(names)
            ],
        )
    return names


def judged_commit(
    number: int = 1,
    metrics: Mapping[str, float] = MappingProxyType({"score": 1.0}),
    *,
    parent: str | None = "a" * 40,
) -> JudgedCommit:
    """A commit that was judged; those of different numbers share nothing."""
    name = f"{number:040x}"
    figures = tuple(Metric(metric, value) for metric, value in metrics.items())
    return JudgedCommit(
        commit=name,
        tree=f"{number:039x}f",
        parent=parent,
        branch=f"evolution/job/{number}",
        subject=f"change {number}",
        footprint={"edit_distance": number, "code_size": 100 * number},
        evaluation=Evaluation(f"judged {number}", figures, (), 0.5),
    )


def claimed(database: Database, job_id: str, *, lease_seconds: float = 30) -> Claim:
    """A worker's hold of a job that was pending or queued."""
    Schedule(database).queue_pending()
    return Jobs(database).claim(job_id, worker="host:1", lease_seconds=lease_seconds)


def succeeded(database: Database, job_id: str, judged: JudgedCommit) -> None:
    """Let a worker end a job with this commit."""
    Jobs(database).succeed(claimed(database, job_id), judged, JobRecord())


def failed(database: Database, job_id: str, failure: JobFailed) -> None:
    """Let a worker end a job with this failure."""
    Jobs(database).fail(claimed(database, job_id), failure, JobRecord())
