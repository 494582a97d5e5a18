"""The first schema: one experiment, its jobs, commits, evaluations and archive."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "arms",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("trials", sa.Double(), nullable=False),
        sa.Column("successes", sa.Double(), nullable=False),
        sa.Column("cost", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_arms")),
    )
    op.create_table(
        "experiment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("root_commit", sa.String(length=64), nullable=False),
        sa.Column("search", sa.JSON(), nullable=False),
        sa.Column("projection", sa.JSON(), nullable=True),
        sa.Column("ended_jobs", sa.Integer(), server_default="0", nullable=False),
        sa.Column("judged_commits", sa.Integer(), server_default="0", nullable=False),
        sa.Column("migrations", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_experiment_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("island", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("base_commit", sa.String(length=64), nullable=False),
        sa.Column("inspirations", sa.JSON(), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=True),
        sa.Column("operator", sa.String(length=64), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lost_leases", sa.Integer(), server_default="0", nullable=False),
        sa.Column("token", sa.String(length=36), nullable=True),
        sa.Column("worker", sa.String(length=255), nullable=True),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("dispatched_at", sa.Double(), nullable=True),
        sa.Column("claimed_at", sa.Double(), nullable=True),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("commit", sa.String(length=64), nullable=True),
        sa.Column("failure_kind", sa.String(length=16), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("ingested_at", sa.Double(), nullable=True),
        sa.Column("archive_outcome", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("ordinal", name=op.f("uq_jobs_ordinal")),
    )
    op.create_index(
        op.f("ix_jobs_ingested_at_state"), "jobs", ["ingested_at", "state"], unique=False
    )
    op.create_index(
        op.f("ix_jobs_state_lease_until"), "jobs", ["state", "lease_until"], unique=False
    )
    op.create_table(
        "artifacts",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("media_type", sa.String(length=128), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_artifacts_job_id")),
        sa.PrimaryKeyConstraint("job_id", "attempt", "name", name=op.f("pk_artifacts")),
    )
    op.create_table(
        "commits",
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("tree", sa.String(length=64), nullable=False),
        sa.Column("parent", sa.String(length=64), nullable=True),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("branch", sa.String(length=255), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("traits", sa.JSON(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        sa.Column("island", sa.Integer(), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("error", sa.Double(), nullable=True),
        sa.Column("edit_distance", sa.Integer(), nullable=False),
        sa.Column("code_size", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_commits_job_id")),
        sa.PrimaryKeyConstraint("commit", name=op.f("pk_commits")),
        sa.UniqueConstraint("tree", name=op.f("uq_commits_tree")),
    )
    op.create_index(op.f("ix_commits_job_id"), "commits", ["job_id"], unique=False)
    op.create_index(op.f("ix_commits_score"), "commits", ["score"], unique=False)
    op.create_table(
        "challenges",
        sa.Column("island", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cell", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("measures", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["commit"], ["commits.commit"], name=op.f("fk_challenges_commit")),
        sa.PrimaryKeyConstraint("island", "cell", "commit", name=op.f("pk_challenges")),
    )
    op.create_index(op.f("ix_challenges_commit"), "challenges", ["commit"], unique=False)
    op.create_table(
        "elites",
        sa.Column("island", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cell", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("error", sa.Double(), nullable=False),
        sa.Column("curiosity", sa.Double(), nullable=False),
        sa.Column("measures", sa.JSON(), nullable=False),
        sa.Column("improvements", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["commit"], ["commits.commit"], name=op.f("fk_elites_commit")),
        sa.PrimaryKeyConstraint("island", "cell", name=op.f("pk_elites")),
        sa.UniqueConstraint("island", "position", name=op.f("uq_elites_island_position")),
    )
    op.create_index(op.f("ix_elites_island_commit"), "elites", ["island", "commit"], unique=False)
    op.create_index(op.f("ix_elites_island_score"), "elites", ["island", "score"], unique=False)
    op.create_table(
        "evaluations",
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["commit"], ["commits.commit"], name=op.f("fk_evaluations_commit")),
        sa.PrimaryKeyConstraint("commit", name=op.f("pk_evaluations")),
    )
    op.create_table(
        "metrics",
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("samples", sa.JSON(), nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=True),
        sa.Column("higher_is_better", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["commit"], ["commits.commit"], name=op.f("fk_metrics_commit")),
        sa.PrimaryKeyConstraint("commit", "name", name=op.f("pk_metrics")),
    )
