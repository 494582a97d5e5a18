"""Workers and schedulers killed, stopped and doubled: nothing is lost, nothing is done twice."""

import os
import signal
import sqlite3
import time
from typing import Any

import pytest

from loreley.core.jobs import JobState
from loreley.db.engine import Database
from loreley.host.failpoints import Failpoint
from tests.db.support import job_row, rows
from tests.figures import Figure, seconds_since
from tests.support import eventually
from tests.system.faults import locked_sqlite
from tests.system.stack import BUSY_SECONDS, PATIENCE_SECONDS, Process, Stack, finished, only_sqlite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

OF_A_WORKER = (
    *(Failpoint.CLAIMED, Failpoint.LEASED, Failpoint.PROPOSED, Failpoint.COMMITTED),
    *(Failpoint.EVALUATED, Failpoint.PUSHED, Failpoint.RECORDED, Failpoint.ACKED),
)
OF_A_SCHEDULER = (Failpoint.QUEUED, Failpoint.SENT, Failpoint.TAKEN_IN)


@pytest.fixture(autouse=True)
def _quick(stack: Stack) -> None:
    stack.settings |= {"TASKS_WORKER_LEASE_SECONDS": "3", "TASKS_WORKER_GRACE_SECONDS": "1"}


def running(stack: Stack, database: Database) -> list[dict[str, Any]]:
    return [row for row in stack.jobs(database) if row["state"] == JobState.RUNNING]


def test_workers_killed_at_every_point_cost_no_job(stack: Stack) -> None:
    jobs = len(OF_A_WORKER) + 2
    workers = [stack.start_worker() for _ in range(len(OF_A_WORKER) + 1)]
    scheduler = stack.start_scheduler("--max-jobs", str(jobs))
    after_the_baseline = stack.hold(Failpoint.TAKEN_IN)
    after_the_baseline.pid()
    holds = [stack.hold(point) for point in OF_A_WORKER]
    after_the_baseline.release()
    victims = [stack.process(hold.pid()) for hold in holds]
    for victim in victims:
        victim.kill()

    finished(scheduler, *workers)
    stack.require_whole(jobs_wanted=jobs)


def test_a_worker_killed_after_a_failed_candidate_costs_no_job(stack: Stack) -> None:
    """What it has tried in vain stays known; its job begins again and ends."""
    judge = stack.folder / "evaluator" / "judge.py"
    refusal = "    assert value <= 1.0\n    return {"
    judge.write_text(judge.read_text().replace("    return {", refusal))
    worker = stack.start_worker()
    hold = stack.hold(Failpoint.TRIED)
    scheduler = stack.start_scheduler("--max-jobs", "6", SCHEDULER_MAX_EQUAL_FAILURES="0")
    assert hold.pid() == worker.popen.pid
    with stack.database() as database:
        [tried] = rows(database, "failed_tries")
    worker.kill()

    finished(scheduler, stack.start_worker())
    stack.require_whole(jobs_wanted=6)
    with stack.database() as database:
        assert tried in rows(database, "failed_tries")
        trees = [row["tree"] for row in rows(database, "failed_tries")]
        assert len(set(trees)) == len(trees)
        assert job_row(database, tried["job_id"])["attempt"] == 2


def test_a_scheduler_killed_at_any_point_loses_no_job(stack: Stack) -> None:
    worker = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", "8")
    for point in OF_A_SCHEDULER:
        assert stack.hold(point).pid() == scheduler.popen.pid
        scheduler.kill()
        scheduler = stack.start_scheduler("--max-jobs", "8")

    finished(scheduler, worker)
    stack.require_whole(jobs_wanted=8)


def freeze(process: Process, stack: Stack) -> None:
    """Stop it, but not in a transaction: with SQLite everyone would wait until it goes on."""

    def is_frozen_alone() -> bool:
        os.kill(process.popen.pid, signal.SIGSTOP)
        try:
            with locked_sqlite(stack.database_url, patience_seconds=0.5):
                return True
        except sqlite3.OperationalError:
            os.kill(process.popen.pid, signal.SIGCONT)
            return False

    eventually(is_frozen_alone)


@only_sqlite
@pytest.mark.parametrize("point", [Failpoint.PROPOSED, Failpoint.PUSHED])
def test_a_worker_that_slept_through_its_lease_writes_nothing(
    stack: Stack, point: Failpoint
) -> None:
    sleeper = stack.start_worker()
    hold = stack.hold(point)
    scheduler = stack.start_scheduler("--max-jobs", "2")
    hold.pid()
    freeze(sleeper, stack)
    hold.release()
    other = stack.start_worker()
    other.wait_for("attempt 2")
    os.kill(sleeper.popen.pid, signal.SIGCONT)

    sleeper.wait_for("given up, nothing is recorded")
    finished(scheduler, sleeper, other)
    stack.require_whole(jobs_wanted=2)


@only_sqlite
def test_a_job_that_kills_its_workers_is_given_up_and_the_others_run(stack: Stack) -> None:
    workers = [stack.start_worker()]
    scheduler = stack.start_scheduler("--max-jobs", "1", SCHEDULER_JOB_MAX_ATTEMPTS="2")
    for _ in range(2):
        hold = stack.hold(Failpoint.PROPOSED)
        workers.append(stack.start_worker())
        stack.process(hold.pid()).kill()

    finished(scheduler, *workers)
    with stack.database() as database:
        [job] = [row for row in stack.jobs(database) if row["ordinal"] == 0]
    assert (job["state"], job["failure_kind"], job["attempt"]) == (JobState.FAILED, "lost", 2)
    stack.start_worker()  # whatever killed workers left is removed by the next one that starts
    stack.require_whole()


@only_sqlite
def test_two_schedulers_at_once_do_no_harm(stack: Stack) -> None:
    workers = [stack.start_worker(), stack.start_worker()]
    schedulers = [stack.start_scheduler("--max-jobs", "8") for _ in range(2)]
    stack.process(stack.hold(Failpoint.PUSHED).pid()).kill()
    workers.append(stack.start_worker())

    for scheduler in schedulers:
        finished(scheduler, *workers)
    stack.require_whole(jobs_wanted=8)


@only_sqlite
def test_work_goes_on_while_no_scheduler_is_there(stack: Stack) -> None:
    stack.gate.touch()
    worker = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", "3")
    with stack.database() as database:
        eventually(lambda: running(stack, database), within=PATIENCE_SECONDS)
        scheduler.kill()
        first_lease = running(stack, database)[0]["lease_until"]
        # The worker alone keeps its job, beyond the lease that it began with.
        eventually(lambda: running(stack, database)[0]["lease_until"] > first_lease + 3, within=30)
    stack.gate.unlink()
    worker.wait_for("succeeded")

    finished(stack.start_scheduler("--max-jobs", "3"), worker)
    stack.require_whole(jobs_wanted=3)
    assert "attempt 2" not in worker.said


@only_sqlite
def test_dramatiq_s_time_limit_is_recorded_as_one(stack: Stack) -> None:
    """The second net: the job's own deadline goes unnoticed while the thread is held."""
    stack.settings["TASKS_WORKER_TIME_LIMIT_SECONDS"] = "4"
    worker = stack.start_worker()
    hold = stack.hold(Failpoint.PROPOSED)
    scheduler = stack.start_scheduler("--max-jobs", "2")
    hold.pid()

    finished(scheduler, worker)
    with stack.database() as database:
        [job] = [row for row in stack.jobs(database) if row["ordinal"] == 0]
    assert (job["state"], job["failure_kind"], job["attempt"]) == (JobState.FAILED, "timeout", 1)
    hold.release()
    stack.require_whole(jobs_wanted=2)


@only_sqlite
def test_a_killed_worker_s_job_begins_again_soon(stack: Stack, figure: Figure) -> None:
    first = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", "1")
    stack.hold(Failpoint.LEASED).pid()
    second = stack.start_worker()
    second.wait_for("worker online")
    first.kill()
    killed_at = time.monotonic()

    second.wait_for("attempt 2", within=3 + 10 + BUSY_SECONDS)  # the lease and ten seconds
    figure("kill -9 of a worker to its job's second attempt, lease 3 s", seconds_since(killed_at))
    finished(scheduler, second)
    stack.require_whole(jobs_wanted=1)


@only_sqlite
def test_an_interrupted_job_goes_back_and_nothing_of_it_stays(stack: Stack, figure: Figure) -> None:
    stack.gate.touch()
    worker = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", "1")
    stack.wait_for_evaluation()
    began = time.monotonic()

    code = worker.stop(within=1 + 3 + BUSY_SECONDS)  # the grace period and three seconds

    figure("SIGTERM to the end of a busy worker, grace 1 s", seconds_since(began))
    assert code == 0, worker.said
    assert "back to the queue" in worker.said
    with stack.database() as database:
        assert running(stack, database) == []
    left = [path.name for path in stack.worktrees.iterdir() if not path.name.startswith(".")]
    assert left == []
    stack.gate.unlink()
    finished(scheduler, stack.start_worker())
    stack.require_whole(jobs_wanted=1)


@only_sqlite
def test_a_second_signal_interrupts_at_once(stack: Stack, figure: Figure) -> None:
    stack.settings["TASKS_WORKER_GRACE_SECONDS"] = "60"
    stack.gate.touch()
    worker = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", "1")
    stack.wait_for_evaluation()
    worker.popen.send_signal(signal.SIGINT)
    worker.wait_for("stopping")
    began = time.monotonic()

    code = worker.stop(signal.SIGINT, within=1 + BUSY_SECONDS)

    figure("second signal to the end of a busy worker", seconds_since(began))
    assert code == 130, worker.said
    stack.gate.unlink()
    finished(scheduler, stack.start_worker())
    stack.require_whole(jobs_wanted=1)
