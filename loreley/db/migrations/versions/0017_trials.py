"""States of a worktree that were judged while the job's agent was at work on it."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add an empty table: so far agents could measure nothing."""
    op.create_table(
        "trials",
        sa.Column("job_id", sa.String(36), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("tree", sa.String(64), nullable=False),
        sa.Column("meaning", sa.String(64), nullable=True),
        sa.Column("evaluation", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("is_lasting", sa.Boolean(), nullable=False),
        sa.Column("judge", sa.String(64), nullable=True),
        sa.Column("host", sa.String(255), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_trials_job_id")),
        sa.PrimaryKeyConstraint("job_id", "attempt", "number", name=op.f("pk_trials")),
    )
    op.create_index(op.f("ix_trials_tree"), "trials", ["tree"])
    op.create_index(op.f("ix_trials_meaning"), "trials", ["meaning"])
