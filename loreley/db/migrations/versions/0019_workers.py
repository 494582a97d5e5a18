"""The workers that are online, and what they are asked to do."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add a table; workers of earlier versions are not in it."""
    op.create_table(
        "workers",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("boot", sa.String(64), nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("sandbox", sa.String(32), nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.Column("left_at", sa.Double, nullable=True),
        sa.Column("drains", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("last_word", sa.Text, nullable=True),
    )
    op.create_index("ix_workers_left_at_seen_at", "workers", ["left_at", "seen_at"])
