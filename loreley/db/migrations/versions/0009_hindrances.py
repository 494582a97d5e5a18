"""What kept jobs from their end and no candidate caused, and whether the run pauses for it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add a table and two columns; nothing is known of earlier hindrances."""
    op.create_table(
        "hindrances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("worker", sa.String(length=255), nullable=False),
        sa.Column("fault", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("fix", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_hindrances_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hindrances")),
    )
    op.create_index(op.f("ix_hindrances_job_id"), "hindrances", ["job_id"])
    op.create_index(op.f("ix_hindrances_worker_id"), "hindrances", ["worker", "id"])
    op.add_column("experiment", sa.Column("pause", sa.JSON(), nullable=True))
    op.add_column("jobs", sa.Column("fix", sa.Text(), nullable=True))
