"""When a lease was last renewed, which says how long it is when the clock is set back."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add a column; jobs that run know it from their next renewal on."""
    op.add_column("jobs", sa.Column("renewed_at", sa.Double(), nullable=True))
