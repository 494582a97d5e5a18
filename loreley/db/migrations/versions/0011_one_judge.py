"""What an experiment judges with, and which judge and host measured each commit."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add columns; the judge of an earlier run is that of the next worker to go online."""
    op.add_column("experiment", sa.Column("judge", sa.JSON(), nullable=True))
    op.add_column("experiment", sa.Column("judge_digest", sa.String(length=64), nullable=True))
    op.add_column(
        "experiment",
        sa.Column("judges_anew", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("evaluations", sa.Column("judge", sa.String(length=64), nullable=True))
    op.add_column("evaluations", sa.Column("host", sa.String(length=255), nullable=True))
