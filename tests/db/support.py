"""Looking into a database from a test."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from loreley.db.engine import Database
from loreley.db.models import jobs, metadata


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
