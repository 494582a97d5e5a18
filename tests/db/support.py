"""Looking into a database from a test."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from loreley.core.jobs import JobKind
from loreley.db.engine import Database
from loreley.db.models import commits, jobs, metadata
from loreley.db.schedule import NewJob, Schedule


def rows(database: Database, table: str) -> list[dict[str, Any]]:
    """Every row of a table."""
    with database.read() as connection:
        found = connection.execute(select(metadata.tables[table])).mappings()
        return [dict(row) for row in found]


def job_row(database: Database, job_id: UUID | str) -> dict[str, Any]:
    """One job as it stands."""
    with database.read() as connection:
        query = select(jobs).where(jobs.c.id == str(job_id))
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
