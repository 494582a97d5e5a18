"""The pictures that evaluators draw of their candidates."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from loreley.core.evaluation.evaluation import PICTURE_TYPES
from loreley.db.engine import Database
from loreley.db.models import artifacts, commits, jobs


@dataclass(frozen=True, slots=True)
class Picture:
    """An artifact that a browser can show as an image."""

    job_id: str
    name: str
    media_type: str


def read_pictures(database: Database, commit: str) -> list[Picture]:
    """The pictures of the evaluation of a commit, by name."""
    with database.read() as connection:
        query = select(commits.c.job_id).where(commits.c.commit == commit)
        job_id = connection.execute(query).scalar()
        return [] if job_id is None else pictures_of(connection, job_id)


def pictures_of(connection: Connection, job_id: str) -> list[Picture]:
    """The pictures of the last attempt at a job, by name."""
    query = (
        select(artifacts.c.name, artifacts.c.media_type)
        .join(jobs, jobs.c.id == artifacts.c.job_id)
        .where(
            artifacts.c.job_id == job_id,
            artifacts.c.attempt == jobs.c.attempt,
            artifacts.c.media_type.in_(PICTURE_TYPES),
        )
        .order_by(artifacts.c.name)
    )
    return [Picture(job_id, row.name, row.media_type) for row in connection.execute(query)]
