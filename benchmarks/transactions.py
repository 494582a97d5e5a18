"""Claiming and finishing jobs in SQLite."""

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from uuid import uuid4

from benchmarks.comparison import Comparison, Plan
from loreley.core.jobs import JobKind, JobRecord
from loreley.db.engine import open_database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import AgentFailed

_JOBS_PER_ROUND, _QUICK_JOBS_PER_ROUND = 50, 5
_TRANSACTIONS_PER_JOB = 2
_NOW = "((julianday('now') - 2440587.5) * 86400.0)"
_CLAIM = f"""
    UPDATE jobs SET state = 'running', attempt = attempt + 1, token = ?, worker = 'bench',
        claimed_at = {_NOW}, lease_until = {_NOW} + 30
    WHERE id = ? AND state = 'queued' RETURNING *
"""
_FINISH = f"""
    UPDATE jobs SET state = 'failed', token = NULL, lease_until = NULL, finished_at = {_NOW},
        failure_kind = 'agent', failure = 'none'
    WHERE id = ? AND token = ? AND state = 'running'
"""


def transactions(plan: Plan) -> Iterator[Comparison]:
    """The job store's claim and finish against the same statements without SQLAlchemy."""
    rounds = plan.rounds(20)
    count = _QUICK_JOBS_PER_ROUND if plan.quick else _JOBS_PER_ROUND
    with tempfile.TemporaryDirectory(prefix="loreley-bench-") as name:
        path = Path(name) / "bench.db"
        database = open_database(f"sqlite:///{path}")
        bare = _connect(path)
        try:
            plan.report("database: making jobs")
            job_ids = _queue_jobs(Schedule(database), 2 * (rounds + 1) * count)
            parts = [job_ids[start : start + count] for start in range(0, len(job_ids), count)]
            jobs = Jobs(database)
            ours = [partial(_with_job_store, jobs, part) for part in parts[::2]]
            floor = [partial(_by_hand, bare, part) for part in parts[1::2]]
            ours[0]()  # SQLAlchemy compiles each statement once
            floor[0]()
            ours_seconds, floor_seconds = plan.in_turn("database", ours[1:], floor[1:])
        finally:
            bare.close()
            database.close()
    each = count * _TRANSACTIONS_PER_JOB
    ours_each = tuple(seconds / each for seconds in ours_seconds)
    floor_each = tuple(seconds / each for seconds in floor_seconds)
    yield Comparison(
        "database",
        f"claim or finish a job, SQLite: {1 / median(ours_each):,.0f} a second",
        f"the same statements by `sqlite3`: {1 / median(floor_each):,.0f} a second",
        ours_each,
        floor_each,
    )


def _queue_jobs(schedule: Schedule, count: int) -> Sequence[str]:
    root = "a" * 40
    schedule.begin_experiment(Experiment(root, {}))
    for ordinal in range(count):
        schedule.create(NewJob(JobKind.EVOLUTION, ordinal, ordinal, root))
    return schedule.queue_pending()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def _with_job_store(jobs: Jobs, job_ids: Sequence[str]) -> None:
    failure = AgentFailed("none")
    for job_id in job_ids:
        claim = jobs.claim(job_id, worker="bench", lease_seconds=30)
        jobs.fail(claim, failure, JobRecord())


def _by_hand(connection: sqlite3.Connection, job_ids: Sequence[str]) -> None:
    for job_id in job_ids:
        token = str(uuid4())
        connection.execute("BEGIN IMMEDIATE")
        assert connection.execute(_CLAIM, (token, job_id)).fetchone() is not None
        connection.execute("SELECT root_commit FROM experiment").fetchone()
        connection.execute("COMMIT")
        connection.execute("BEGIN IMMEDIATE")
        assert connection.execute(_FINISH, (job_id, token)).rowcount == 1
        connection.execute("COMMIT")
