"""A fleet of which something is killed every two seconds, for as long as one likes."""

import os
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from loreley.core.jobs import JobState
from loreley.db.models import commits
from tests.figures import Figure
from tests.system.stack import Process, Stack, finished, only_sqlite

SECONDS = float(os.environ.get("TEST_SOAK_SECONDS", "30"))
KILL_EVERY_SECONDS = 2.0
WORKERS = 8

pytestmark = [pytest.mark.slow, pytest.mark.timeout(SECONDS + 400)]


@dataclass
class Fleet:
    """Workers and a scheduler, of which whoever dies is replaced at once."""

    stack: Stack
    workers: list[Process] = field(default_factory=list)
    random: Random = field(default_factory=lambda: Random(1))
    kills: int = 0

    def __post_init__(self) -> None:
        self.scheduler = self.stack.start_scheduler()
        self.workers = [self.stack.start_worker() for _ in range(WORKERS)]

    def kill_one(self) -> None:
        """End any one of them and start another in its place."""
        victim = self.random.randrange(WORKERS + 1)
        if victim == WORKERS:
            self.scheduler.kill()
            self.scheduler = self.stack.start_scheduler()
        else:
            self.workers[victim].kill()
            self.workers[victim] = self.stack.start_worker()
        self.kills += 1

    def come_to_rest(self) -> list[dict[str, Any]]:
        """Let the jobs that there are come to their end; all of them."""
        self.scheduler.kill()
        with self.stack.database() as database:
            created = sum(row["ordinal"] >= 0 for row in self.stack.jobs(database))
        scheduler = self.stack.start_scheduler("--max-jobs", str(created))
        finished(scheduler, *self.workers)
        with self.stack.database() as database:
            return [row for row in self.stack.jobs(database) if row["ordinal"] >= 0]


@only_sqlite
def test_a_fleet_under_fire_loses_nothing_and_accepts_nothing_twice(
    stack: Stack, figure: Figure
) -> None:
    stack.settings |= {
        "TASKS_WORKER_LEASE_SECONDS": "4",
        "SCHEDULER_JOB_MAX_ATTEMPTS": "100",
        "SCHEDULER_MAX_UNFINISHED_JOBS": str(2 * WORKERS),
    }
    fleet = Fleet(stack)
    fleet.workers[0].wait_for("worker online")
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        fleet.kill_one()
        time.sleep(KILL_EVERY_SECONDS)  # the pace; nothing is waited for

    rows = fleet.come_to_rest()

    stack.require_whole(jobs_wanted=len(rows), settle_seconds=30)
    lost = sum(row["failure_kind"] == "lost" for row in rows)
    repeated = sum(row["attempt"] > 1 for row in rows)
    succeeded = sum(row["state"] == JobState.SUCCEEDED for row in rows)
    with stack.database() as database, database.read() as connection:
        accepted = [row.job_id for row in connection.execute(commits.select()) if row.parent]
    figure(
        f"{WORKERS} workers, one process killed every 2 s for {SECONDS:.0f} s",
        f"{fleet.kills} kills, {len(rows)} jobs ended, {repeated} of them begun again, "
        f"{lost} lost, {len(accepted) - len(set(accepted))} duplicates accepted",
    )
    assert (lost, len(accepted)) == (0, succeeded)
    assert succeeded > 0
