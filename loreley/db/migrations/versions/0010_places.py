"""What came of changes, by the place that was changed."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add a table; of earlier jobs nothing is known."""
    op.create_table(
        "places",
        sa.Column("place", sa.String(32), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("place", name="pk_places"),
    )
