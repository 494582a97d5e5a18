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
    false,
    text,
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
    Column("projection", JSON),  # of the code descriptor, once it was fitted
    Column("ended_jobs", Integer, nullable=False, server_default="0"),  # evolution jobs ingested
    Column("judged_commits", Integer, nullable=False, server_default="0"),  # of them, with a commit
    Column("migrations", Integer, nullable=False, server_default="0"),
    Column("created_at", Double, nullable=False),
    Column("budget", JSON),  # limits by measure and period; the scheduler's settings
    Column("budget_reached", JSON),  # which limit allows no further call, and why
    Column("pause", JSON(none_as_null=True)),  # why no job is given out at the moment
    Column("judge", JSON),  # the fingerprint of its evaluator; null before the root was judged
    Column("judge_digest", String(64)),
    Column("judges_anew", Boolean, nullable=False, server_default=false()),  # root and elites
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
    Column("agent", String(64)),  # what the search chose for it, if it did
    Column("operator", String(64)),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("uncounted_attempts", Integer, nullable=False, server_default="0"),
    Column("lost_leases", Integer, nullable=False, server_default="0"),
    Column("token", String(36)),
    Column("worker", String(255)),
    Column("lease_until", Double),
    Column("renewed_at", Double),  # the lease; None where an earlier version has claimed the job
    Column("created_at", Double, nullable=False),
    Column("dispatched_at", Double),
    Column("claimed_at", Double),
    Column("finished_at", Double),
    Column("tree", String(64)),  # that it judges or has judged; null before it is known
    Column("meaning", String(64)),  # of that tree: the same but for blanks and the like
    Column("commit", String(64)),
    Column("failure_kind", String(16)),
    Column("failure", Text),
    Column("fix", Text),  # what the failure says should be changed
    Column("ingested_at", Double),
    Column("archive_outcome", String(16)),
    Column("agent_seconds", Double),
    Column("subject", Text),  # what the agent says it did
    Column("tries", Integer, nullable=False, server_default="0"),  # evaluations beside its commit's
    Column("tried_seconds", Double, nullable=False, server_default="0"),
    Column("progress", JSON(none_as_null=True)),  # what a further attempt, or tuning, goes on from
    UniqueConstraint("ordinal"),
    Index(None, "ingested_at", "state"),
    Index(None, "state", "lease_until"),
    Index(None, "state", "ordinal"),
    Index(None, "tree"),
    Index(None, "meaning"),
    # No two workers judge the same tree at the same time.
    Index(
        "uq_jobs_tree_running",
        "tree",
        unique=True,
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
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
    Column("traits", JSON, nullable=False, default=dict),  # unused; older versions read it
    Column("vector", LargeBinary),  # of the code descriptor: float32, little-endian
    Column("island", Integer),
    Column("score", Double),  # by the experiment's fitness, higher is better; null: has none
    Column("error", Double),  # standard error of the score; 0: not known
    Column("edit_distance", Integer, nullable=False),
    Column("code_size", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    UniqueConstraint("tree"),
    Index(None, "job_id"),
    Index(None, "parent"),
    Index(None, "score"),
)

evaluations = Table(
    "evaluations",
    metadata,
    Column("commit", String(64), ForeignKey("commits.commit"), primary_key=True),
    Column("summary", Text, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("judge", String(64)),  # digest of its fingerprint
    Column("host", String(255)),  # that measured it; null: several did, or an earlier version
)

metrics = Table(
    "metrics",
    metadata,
    Column("commit", String(64), ForeignKey("commits.commit"), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("value", Double, nullable=False),  # the median of the samples
    Column("samples", JSON, nullable=False),
    Column("unit", String(128)),
    Column("higher_is_better", Boolean, nullable=False),
    # Whether the evaluator said so, rather than left it out.
    Column("says_direction", Boolean, nullable=False, server_default=false()),
)

elites = Table(
    "elites",
    metadata,
    Column("island", Integer, primary_key=True, autoincrement=False),
    Column("cell", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, nullable=False),  # from 0 without gaps: any elite can be drawn
    Column("commit", String(64), ForeignKey("commits.commit"), nullable=False),
    Column("score", Double, nullable=False),  # higher is better, whatever the metric's direction
    Column("error", Double, nullable=False),  # standard error of the score; 0: not known
    Column("curiosity", Double, nullable=False),  # grows while its children enter the archive
    Column("measures", JSON, nullable=False),
    Column("improvements", Integer, nullable=False),
    Column("updated_at", Double, nullable=False),
    UniqueConstraint("island", "position"),
    Index(None, "island", "score"),
    Index(None, "island", "commit"),
)

# Candidates that seem better than the elite of their cell, but not beyond the noise.
challenges = Table(
    "challenges",
    metadata,
    Column("island", Integer, primary_key=True, autoincrement=False),
    Column("cell", Integer, primary_key=True, autoincrement=False),
    Column("commit", String(64), ForeignKey("commits.commit"), primary_key=True),
    Column("measures", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
    Index(None, "commit"),
)

# What measuring finalists beside the root has shown. Scores: higher is better.
confirmations = Table(
    "confirmations",
    metadata,
    Column("commit", String(64), ForeignKey("commits.commit"), primary_key=True),
    Column("job_id", String(36), ForeignKey("jobs.id"), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("estimate", Double),  # by how much its score is better; null: there is no pair
    Column("margin", Double),  # half the width of the estimate's 95 % interval
    Column("root_scores", JSON, nullable=False),
    Column("scores", JSON, nullable=False),
    Column("reason", Text, nullable=False),  # why the pairs could not decide, where they could not
    Column("holdout", String(16)),  # passed or failed; null: it was not asked
    Column("holdout_reason", Text),
    Column("finished_at", Double, nullable=False),
    Index(None, "verdict"),
)

# What the hold-out says of a commit: asked once, and shown to no agent.
holdouts = Table(
    "holdouts",
    metadata,
    Column("commit", String(64), primary_key=True),
    Column("scores", JSON, nullable=False),  # higher is better; empty: it has none
    Column("failure", Text, nullable=False),
    Column("created_at", Double, nullable=False),
)

# Every worker process that has come online, and what it is asked to do.
workers = Table(
    "workers",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(255), nullable=False),  # as jobs have it: host:pid
    Column("host", String(255), nullable=False),
    Column("boot", String(64), nullable=False),  # of the host's system, which tells hosts apart
    Column("version", String(32), nullable=False),
    Column("sandbox", String(32), nullable=False),
    Column("started_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
    Column("left_at", Double),  # null: it is online, or died
    Column("drains", Boolean, nullable=False, server_default=false()),  # takes no further job
    Column("last_word", Text),  # the last warning of its log
    Index(None, "left_at", "seen_at"),
)

# What each host makes of the root commit, where its metric is noisy.
hosts = Table(
    "hosts",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("judge", String(64)),  # that measured it there
    Column("machine", Text, nullable=False),
    Column("root_fitness", JSON, nullable=False),  # of each measurement
    Column("measured_at", Double, nullable=False),
)

# What the choice among agents and operators has learnt.
arms = Table(
    "arms",
    metadata,
    Column("kind", String(16), primary_key=True),  # agent or operator
    Column("name", String(64), primary_key=True),
    Column("trials", Double, nullable=False),
    Column("successes", Double, nullable=False),
    Column("cost", Double, nullable=False),
)

# What came of changes at a place: a file, a block or line of it, an operator in it; by digest.
places = Table(
    "places",
    metadata,
    Column("place", String(32), primary_key=True),
    Column("changed", Integer, nullable=False),
    Column("moved", Integer, nullable=False),  # so often a metric was another than the base's
)

# Candidates that were judged in vain before their job went on with another one.
failed_tries = Table(
    "failed_tries",
    metadata,
    Column("job_id", String(36), ForeignKey("jobs.id"), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),  # within the attempt, from 1
    Column("tree", String(64), nullable=False),
    Column("meaning", String(64)),
    Column("operator", String(64)),
    Column("subject", Text),  # what the agent says it did
    Column("failure", Text, nullable=False),
    Column("seconds", Double, nullable=False),  # from the claim, or the try before, to its end
    Column("finished_at", Double, nullable=False),
    Index(None, "tree"),
    Index(None, "meaning"),
)

# States of a worktree that were judged while the job's agent was at work on it.
trials = Table(
    "trials",
    metadata,
    Column("job_id", String(36), ForeignKey("jobs.id"), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),  # within the attempt, from 1
    Column("tree", String(64), nullable=False),
    Column("meaning", String(64)),
    Column("evaluation", JSON(none_as_null=True)),  # summary, metrics and seconds; null: it failed
    Column("failure", Text),
    Column("is_lasting", Boolean, nullable=False),  # whether the tree would fail again
    Column("judge", String(64)),  # digest of its fingerprint
    Column("host", String(255)),
    Column("seconds", Double, nullable=False),
    Column("finished_at", Double, nullable=False),
    Index(None, "tree"),
    Index(None, "meaning"),
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

# Calls of agents that may cost money. An open one whose job has ended or gone on was cut off.
calls = Table(
    "calls",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("job_id", String(36), ForeignKey("jobs.id"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("agent", String(64), nullable=False),
    Column("opened_at", Double, nullable=False),
    Column("closed_at", Double),
    Column("seconds", Double),
    Column("input_tokens", BigInteger),  # cached ones included; null: not known
    Column("output_tokens", BigInteger),
    Column("cached_tokens", BigInteger),
    Column("dollars", Double),  # null: the price is not known
    Column("expected_dollars", Double),  # what such calls had cost before; null: none was seen
    Column("expected_tokens", Double),
    Column("reserved_dollars", Double),  # while it is open; null: no limit in dollars
    Column("reserved_tokens", Double),
    Index(None, "agent", "closed_at"),
    Index(None, "job_id"),
    Index(None, "opened_at"),
)

# What people say to every later agent, and what agents say they have found out.
notes = Table(
    "notes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Column("job_id", String(36)),  # whose agent says it; null: people do
    Column("effect", String(8)),  # that the agent claims: helps or harms
    Column("tree", String(64)),  # of the commit or judged state that its figures are of
    Column("created_at", Double, nullable=False),
    Column("withdrawn_at", Double),
)

# How long a scheduler was at work, by day of the database's clock in UTC.
activity = Table(
    "activity",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),  # since 1970
    Column("seconds", Double, nullable=False),
)

# What kept a job from its end, or its result from the remote, and no candidate caused.
hindrances = Table(
    "hindrances",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job_id", String(36), ForeignKey("jobs.id"), nullable=False),
    Column("worker", String(255), nullable=False),
    Column("fault", String(32), nullable=False),  # whose it is
    Column("reason", Text, nullable=False),
    Column("fix", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("until", Double),  # when the provider says it is over; null: it does not say
    Index(None, "job_id"),
    Index(None, "worker", "id"),
)

# What an embedding endpoint made of contents, folded to the code descriptor's dimensions.
embeddings = Table(
    "embeddings",
    metadata,
    Column("model", String(255), primary_key=True),
    Column("blob", String(64), primary_key=True),
    Column("length", Integer, nullable=False),  # numbers of an embedding as the endpoint gave it
    Column("vector", LargeBinary, nullable=False),  # float32, little-endian
)
