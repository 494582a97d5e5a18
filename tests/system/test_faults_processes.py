"""Workers and schedulers killed, stopped and doubled: nothing is lost, nothing is done twice."""

import os
import re
import signal
import time
from typing import Any

import pytest

from loreley.core.jobs import JobState
from loreley.db.engine import Database
from loreley.holding import Point
from tests.support import eventually
from tests.system.stack import Process, Stack

pytestmark = pytest.mark.slow

OF_A_WORKER = (
    *(Point.CLAIMED, Point.LEASED, Point.PROPOSED, Point.COMMITTED),
    *(Point.EVALUATED, Point.PUSHED, Point.RECORDED, Point.ACKED),
)
OF_A_SCHEDULER = (Point.QUEUED, Point.SENT, Point.TAKEN_IN)
only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _quick(stack: Stack) -> None:
    stack.settings |= {"TASKS_WORKER_LEASE_SECONDS": "3", "TASKS_WORKER_GRACE_SECONDS": "1"}


def finished(scheduler: Process, *others: Process, within: float = 120) -> None:
    """Wait until the budget is spent."""
    code = scheduler.popen.wait(timeout=within)
    assert code == 0, "\n".join(process.said for process in (scheduler, *others))


def running(stack: Stack, database: Database) -> list[dict[str, Any]]:
    return [row for row in stack.jobs(database) if row["state"] == JobState.RUNNING]


def test_a_worker_killed_at_any_point_costs_no_job(stack: Stack) -> None:
    workers = [stack.start_worker(), stack.start_worker()]
    scheduler = stack.start_scheduler("--max-jobs", str(len(OF_A_WORKER) + 2))
    for point in OF_A_WORKER:
        victim = stack.process(stack.hold(point).pid())
        victim.kill()
        workers.append(stack.start_worker())

    finished(scheduler, *workers)
    stack.require_whole(jobs_wanted=len(OF_A_WORKER) + 2)


def test_a_scheduler_killed_at_any_point_loses_no_job(stack: Stack) -> None:
    worker = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", "8")
    for point in OF_A_SCHEDULER:
        assert stack.hold(point).pid() == scheduler.popen.pid
        scheduler.kill()
        scheduler = stack.start_scheduler("--max-jobs", "8")

    finished(scheduler, worker)
    stack.require_whole(jobs_wanted=8)


@only_sqlite
@pytest.mark.parametrize("point", [Point.PROPOSED, Point.PUSHED])
def test_a_worker_that_slept_through_its_lease_writes_nothing(stack: Stack, point: Point) -> None:
    sleeper = stack.start_worker()
    hold = stack.hold(point)
    scheduler = stack.start_scheduler("--max-jobs", "2")
    hold.pid()
    os.kill(sleeper.popen.pid, signal.SIGSTOP)
    hold.release()
    other = stack.start_worker()
    other.wait_for("attempt 2", within=60)
    os.kill(sleeper.popen.pid, signal.SIGCONT)

    sleeper.wait_for("given up, nothing is recorded")
    finished(scheduler, sleeper, other)
    stack.require_whole(jobs_wanted=2)


@only_sqlite
def test_a_job_that_kills_its_workers_is_given_up_and_the_others_run(stack: Stack) -> None:
    workers = [stack.start_worker()]
    scheduler = stack.start_scheduler("--max-jobs", "1", SCHEDULER_JOB_MAX_ATTEMPTS="2")
    workers[0].wait_for("succeeded")  # the baseline
    for _ in range(2):
        stack.process(stack.hold(Point.PROPOSED).pid()).kill()
        workers.append(stack.start_worker())

    finished(scheduler, *workers)
    with stack.database() as database:
        [job] = [row for row in stack.jobs(database) if row["ordinal"] == 0]
    assert (job["state"], job["failure_kind"], job["attempt"]) == (JobState.FAILED, "lost", 2)
    stack.require_whole()


@only_sqlite
def test_two_schedulers_at_once_do_no_harm(stack: Stack) -> None:
    workers = [stack.start_worker(), stack.start_worker()]
    schedulers = [stack.start_scheduler("--max-jobs", "8") for _ in range(2)]
    stack.process(stack.hold(Point.PUSHED).pid()).kill()
    workers.append(stack.start_worker())

    for scheduler in schedulers:
        finished(scheduler, *workers)
    stack.require_whole(jobs_wanted=8)


@only_sqlite
def test_work_goes_on_while_no_scheduler_is_there(stack: Stack) -> None:
    worker = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", "6")
    worker.wait_for("succeeded")
    stack.gate.touch()
    hold = stack.hold(Point.EVALUATED)
    hold.pid()
    scheduler.kill()
    hold.release()
    stack.gate.unlink()
    time.sleep(4)  # longer than the lease: the worker alone must keep its jobs

    finished(stack.start_scheduler("--max-jobs", "6"), worker)
    stack.require_whole(jobs_wanted=6)
    assert "attempt 2" not in worker.said


@only_sqlite
def test_dramatiq_s_time_limit_is_recorded_as_one(stack: Stack) -> None:
    """The second net: the job's own deadline goes unnoticed while the thread is held."""
    stack.settings["TASKS_WORKER_TIME_LIMIT_SECONDS"] = "4"
    worker = stack.start_worker()
    hold = stack.hold(Point.PROPOSED)
    scheduler = stack.start_scheduler("--max-jobs", "2")
    hold.pid()

    finished(scheduler, worker)
    with stack.database() as database:
        [job] = [row for row in stack.jobs(database) if row["ordinal"] == 0]
    assert (job["state"], job["failure_kind"], job["attempt"]) == (JobState.FAILED, "timeout", 1)
    hold.release()
    stack.require_whole(jobs_wanted=2)


def seconds_between(first: str, second: str, said: str) -> float:
    """By the times at the beginnings of the lines that hold these words."""

    def at(words: str) -> float:
        line = next(line for line in said.splitlines() if words in line)
        hours, minutes, seconds = re.match(r"(\d+):(\d+):([\d.]+)", line).groups()  # type: ignore[union-attr]
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)

    return at(second) - at(first)


@only_sqlite
def test_a_killed_worker_s_job_begins_again_soon(stack: Stack) -> None:
    first = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", "1")
    stack.hold(Point.LEASED).pid()
    second = stack.start_worker()
    second.wait_for("worker online")
    first.kill()
    killed_at = time.monotonic()

    second.wait_for("attempt 2", within=3 + 10)
    print(f"\nfigure: kill -9 → second attempt {time.monotonic() - killed_at:.1f} s, lease 3 s")  # noqa: T201
    finished(scheduler, second)
    stack.require_whole(jobs_wanted=1)


@only_sqlite
def test_an_interrupted_job_goes_back_and_nothing_of_it_stays(stack: Stack) -> None:
    stack.gate.touch()
    worker = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", "1")
    worker.wait_for("baseline job")
    eventually(lambda: list(stack.worktrees.glob(".scratch/*/evaluation-1")))
    began = time.monotonic()

    code = worker.stop(within=1 + 3)

    print(f"\nfigure: SIGTERM busy → {time.monotonic() - began:.1f} s, grace 1 s")  # noqa: T201
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
def test_a_second_signal_interrupts_at_once(stack: Stack) -> None:
    stack.settings["TASKS_WORKER_GRACE_SECONDS"] = "60"
    stack.gate.touch()
    worker = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", "1")
    eventually(lambda: list(stack.worktrees.glob(".scratch/*/evaluation-1")), within=60)
    worker.popen.send_signal(signal.SIGINT)
    worker.wait_for("stopping")
    began = time.monotonic()

    code = worker.stop(signal.SIGINT, within=5)

    seconds = time.monotonic() - began
    print(f"\nfigure: second signal → {seconds:.1f} s")  # noqa: T201
    assert (code, seconds <= 1) == (130, True), worker.said
    stack.gate.unlink()
    finished(scheduler, stack.start_worker())
    stack.require_whole(jobs_wanted=1)
