"""Candidates that were judged in vain before their job went on with another one."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add an empty table: so far a job ended with its first failure."""
    op.create_table(
        "failed_tries",
        sa.Column("job_id", sa.String(36), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("tree", sa.String(64), nullable=False),
        sa.Column("operator", sa.String(64), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_failed_tries_job_id")),
        sa.PrimaryKeyConstraint("job_id", "attempt", "number", name=op.f("pk_failed_tries")),
    )
    op.create_index(op.f("ix_failed_tries_tree"), "failed_tries", ["tree"])
