"""Which tree each job judges, so that none is judged twice."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add a column and its indexes; of earlier jobs only those with a commit have a known tree."""
    op.add_column("jobs", sa.Column("tree", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_jobs_tree"), "jobs", ["tree"])
    op.create_index(
        "uq_jobs_tree_running",
        "jobs",
        ["tree"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
