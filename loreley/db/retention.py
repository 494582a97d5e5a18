"""Deletes what is kept for a while only."""

from sqlalchemy import delete

from loreley.core.evaluation.evaluation import AGENT_ARTIFACTS
from loreley.db.engine import Database, now
from loreley.db.models import artifacts


def forget_agent_artifacts(database: Database, *, older_than_hours: float) -> int:
    """Delete what agents were told and answered, if it is that old; how many texts."""
    with database.begin() as connection:
        gone = connection.execute(
            delete(artifacts).where(
                artifacts.c.name.in_(AGENT_ARTIFACTS),
                artifacts.c.created_at < now() - older_than_hours * 3600,
            )
        )
        return gone.rowcount
