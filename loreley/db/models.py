"""The tables. Times are seconds since 1970 UTC by the database's clock."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# A database holds one experiment: one row, written at the first start of the scheduler.
experiment = Table(
    "experiment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("root_commit", String(64), nullable=False),
    Column("search", JSON, nullable=False),  # the settings that give fitness and cells a meaning
    Column("created_at", Double, nullable=False),
    CheckConstraint("id = 1", name="single"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("ordinal", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("island", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("base_commit", String(64), nullable=False),
    Column("inspirations", JSON, nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("lost_leases", Integer, nullable=False, server_default="0"),
    Column("token", String(36)),
    Column("worker", String(255)),
    Column("lease_until", Double),
    Column("created_at", Double, nullable=False),
    Column("dispatched_at", Double),
    Column("claimed_at", Double),
    Column("finished_at", Double),
    Column("commit", String(64)),
    Column("failure_kind", String(16)),
    Column("failure", Text),
    Column("ingested_at", Double),
    Column("archive_outcome", String(16)),
    UniqueConstraint("ordinal"),
    Index(None, "state", "ingested_at"),
    Index(None, "state", "lease_until"),
)

commits = Table(
    "commits",
    metadata,
    Column("commit", String(64), primary_key=True),
    Column("tree", String(64), nullable=False),
    Column("parent", String(64)),
    Column("job_id", String(36), ForeignKey("jobs.id"), nullable=False),
    Column("branch", String(255)),
    Column("subject", Text, nullable=False),
    Column("edit_distance", Integer, nullable=False),
    Column("code_size", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    UniqueConstraint("tree"),
    Index(None, "job_id"),
)

evaluations = Table(
    "evaluations",
    metadata,
    Column("commit", String(64), ForeignKey("commits.commit"), primary_key=True),
    Column("summary", Text, nullable=False),
    Column("seconds", Double, nullable=False),
)

metrics = Table(
    "metrics",
    metadata,
    Column("commit", String(64), ForeignKey("commits.commit"), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("value", Double, nullable=False),
    Column("unit", String(128)),
    Column("higher_is_better", Boolean, nullable=False),
)

elites = Table(
    "elites",
    metadata,
    Column("island", Integer, primary_key=True, autoincrement=False),
    Column("cell", Integer, primary_key=True, autoincrement=False),
    Column("commit", String(64), ForeignKey("commits.commit"), nullable=False),
    Column("score", Double, nullable=False),  # the fitness, negated when lower is better
    Column("measures", JSON, nullable=False),
    Column("improvements", Integer, nullable=False),
    Column("updated_at", Double, nullable=False),
    Index(None, "island", "score"),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("job_id", String(36), ForeignKey("jobs.id"), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("name", String(128), primary_key=True),
    Column("media_type", String(128), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False),
)
