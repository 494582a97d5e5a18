"""Finalists measured beside the root, and what the hold-out says of them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "confirmations",
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("estimate", sa.Double(), nullable=True),
        sa.Column("margin", sa.Double(), nullable=True),
        sa.Column("root_scores", sa.JSON(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("holdout", sa.String(length=16), nullable=True),
        sa.Column("holdout_reason", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["commit"], ["commits.commit"], name=op.f("fk_confirmations_commit")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_confirmations_job_id")),
        sa.PrimaryKeyConstraint("commit", name=op.f("pk_confirmations")),
    )
    op.create_index(op.f("ix_confirmations_verdict"), "confirmations", ["verdict"])
    op.create_table(
        "holdouts",
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("commit", name=op.f("pk_holdouts")),
    )
