"""Whether the evaluator said which direction of a metric is better."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add a column; that more is better may have been said or not, that less is always was."""
    op.add_column(
        "metrics",
        sa.Column("says_direction", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
