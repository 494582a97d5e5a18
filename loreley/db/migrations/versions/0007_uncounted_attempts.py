"""Attempts that a worker gave up for its own sake, and that do not count against the job."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add a column; all earlier attempts count."""
    op.add_column(
        "jobs",
        sa.Column("uncounted_attempts", sa.Integer(), server_default="0", nullable=False),
    )
