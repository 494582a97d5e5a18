"""What the trees of jobs mean: the same where they differ in blanks, comments and the like only."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add columns; of earlier jobs only the trees are known."""
    for table in ("jobs", "failed_tries"):
        op.add_column(table, sa.Column("meaning", sa.String(64), nullable=True))
        op.create_index(op.f(f"ix_{table}_meaning"), table, ["meaning"])
