"""Indexes with which people page through many jobs and commits."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add indexes; nothing that is there changes."""
    op.create_index("ix_jobs_state_ordinal", "jobs", ["state", "ordinal"])
    op.create_index("ix_commits_parent", "commits", ["parent"])
