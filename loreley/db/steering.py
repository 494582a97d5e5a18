"""What people do to a run from outside."""

from sqlalchemy import update

from loreley.core.jobs import JobKind, JobState
from loreley.db.engine import Database, now
from loreley.db.models import jobs


def cancel_job(database: Database, job_id: str, why: str) -> bool:
    """Cancel an evolution job that no worker has begun; False when it is not to be cancelled."""
    with database.begin() as connection:
        cancelled = connection.execute(
            update(jobs)
            .where(
                jobs.c.id == job_id,
                jobs.c.kind == JobKind.EVOLUTION,
                jobs.c.state.in_([JobState.PENDING, JobState.QUEUED]),
            )
            .values(state=JobState.CANCELLED, finished_at=now(), failure=why)
        )
        return cancelled.rowcount == 1
