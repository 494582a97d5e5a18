"""What each host makes of the root commit, where the metric is noisy."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add a table; hosts of earlier runs measure the root before their next job."""
    op.create_table(
        "hosts",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("judge", sa.String(length=64), nullable=True),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("root_fitness", sa.JSON(), nullable=False),
        sa.Column("measured_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_hosts")),
    )
