"""Whole runs that tune numbers: workers killed in the midst of it, and what is shown of it."""

import json
import subprocess
import sys
from typing import Any

import pytest

from loreley.core.jobs import JobKind, JobState
from loreley.host.failpoints import Failpoint
from tests.support import PROJECT_ROOT
from tests.system.stack import Stack, finished, only_sqlite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

POINTS = (Failpoint.TRIED_VALUES, Failpoint.PROPOSED, Failpoint.EVALUATED, Failpoint.PUSHED)


@pytest.fixture(autouse=True)
def _tuning(stack: Stack) -> None:
    stack.settings |= {
        "TASKS_WORKER_LEASE_SECONDS": "3",
        "TASKS_WORKER_GRACE_SECONDS": "1",
        "WORKER_TUNE_SECONDS": "900",
        "WORKER_TUNE_EVALUATIONS": "8",
        "SCHEDULER_JOB_MAX_ATTEMPTS": "10",
    }


def find_tune_job(stack: Stack) -> dict[str, Any]:
    with stack.database() as database:
        [job] = [row for row in stack.jobs(database) if row["kind"] == JobKind.TUNE]
        return job


@only_sqlite
def test_workers_killed_while_they_tune_lose_nothing_of_it(stack: Stack) -> None:
    after_the_baseline = stack.hold(Failpoint.TAKEN_IN)
    worker = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", "0")
    after_the_baseline.pid()
    for point in POINTS:
        hold = stack.hold(point)
        after_the_baseline.release()
        assert hold.pid() == worker.popen.pid
        worker.kill()
        worker = stack.start_worker()

    finished(scheduler, worker)
    stack.require_whole(jobs_wanted=0)
    job = find_tune_job(stack)
    assert (job["state"], job["attempt"]) == (JobState.SUCCEEDED, 1 + len(POINTS))
    assert job["tries"] >= 8
    branches = subprocess.check_output(["git", "-C", stack.remote, "branch"], text=True)
    assert f"{job['id']}-{job['attempt']}" in branches


@only_sqlite
def test_the_ceiling_is_shown(stack: Stack) -> None:
    worker = stack.start_worker()
    finished(stack.start_scheduler("--max-jobs", "1"), worker)
    status = [sys.executable, "-m", "invoke", "status"]
    shown = subprocess.check_output(
        status, cwd=PROJECT_ROOT, env=stack.environment(), text=True, stderr=subprocess.STDOUT
    )
    [line] = [line for line in shown.splitlines() if line.startswith("tuning ")]
    assert "ceiling score -" in line
    assert line.endswith("the root with other numbers; 8 tries so far")
    told = json.loads(
        subprocess.check_output(
            [*status, "--json"], cwd=PROJECT_ROOT, env=stack.environment(), text=True
        )
    )
    assert told["experiment"]["tuning_tries"] == 8
    assert told["experiment"]["ceiling"]["fitness"] > -99.0
    with stack.database() as database:
        assert stack.count(database, JobState.SUCCEEDED) >= 2
