"""What tuning has tried, and how far it has come."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add columns; earlier jobs have tried nothing beside their commits."""
    op.add_column("jobs", sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "jobs", sa.Column("tried_seconds", sa.Double(), nullable=False, server_default="0")
    )
    op.add_column("jobs", sa.Column("progress", sa.JSON(none_as_null=True), nullable=True))
