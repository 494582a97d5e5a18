"""What agents say they have found out, beside the notes of people."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add columns; all earlier notes are those of people."""
    op.add_column("notes", sa.Column("job_id", sa.String(36), nullable=True))
    op.add_column("notes", sa.Column("effect", sa.String(8), nullable=True))
    op.add_column("notes", sa.Column("tree", sa.String(64), nullable=True))
