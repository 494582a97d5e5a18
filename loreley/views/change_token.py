"""Whether anything has happened, asked often and so answered from indexes."""

from sqlalchemy import func, select

from loreley.core.jobs import JobState
from loreley.db.engine import Database
from loreley.db.models import jobs


def read_change_token(database: Database) -> tuple[object, ...]:
    """A value that differs whenever a job was created, taken by a worker or taken in."""
    live = (JobState.PENDING, JobState.QUEUED, JobState.RUNNING)
    query = select(
        select(func.max(jobs.c.ordinal)).scalar_subquery(),
        select(func.max(jobs.c.ingested_at)).scalar_subquery(),
        select(func.count()).where(jobs.c.state.in_(live)).scalar_subquery(),
        select(func.max(jobs.c.lease_until))
        .where(jobs.c.state == JobState.RUNNING)
        .scalar_subquery(),
    )
    with database.read() as connection:
        return tuple(connection.execute(query).one())
