"""What agents cost and what it is limited by, people's notes, more about each attempt."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add tables and columns; nothing that is there changes."""
    op.add_column("experiment", sa.Column("budget", sa.JSON(), nullable=True))
    op.add_column("experiment", sa.Column("budget_reached", sa.JSON(), nullable=True))
    op.add_column("jobs", sa.Column("agent_seconds", sa.Double(), nullable=True))
    op.add_column("jobs", sa.Column("subject", sa.Text(), nullable=True))
    op.create_table(
        "calls",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.Double(), nullable=False),
        sa.Column("closed_at", sa.Double(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("input_tokens", sa.BigInteger(), nullable=True),
        sa.Column("output_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cached_tokens", sa.BigInteger(), nullable=True),
        sa.Column("dollars", sa.Double(), nullable=True),
        sa.Column("expected_dollars", sa.Double(), nullable=True),
        sa.Column("expected_tokens", sa.Double(), nullable=True),
        sa.Column("reserved_dollars", sa.Double(), nullable=True),
        sa.Column("reserved_tokens", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_calls_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
    )
    op.create_index(op.f("ix_calls_agent_closed_at"), "calls", ["agent", "closed_at"])
    op.create_index(op.f("ix_calls_job_id"), "calls", ["job_id"])
    op.create_index(op.f("ix_calls_opened_at"), "calls", ["opened_at"])
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("withdrawn_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    op.create_table(
        "activity",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_activity")),
    )
