"""Redis, the database, the disk and the remote go away in the middle of a run and come back."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loreley.core.jobs import JobState
from loreley.host.failpoints import Failpoint
from tests.figures import Figure, seconds_since
from tests.services import free_port, own_postgresql, postgresql_database
from tests.support import eventually
from tests.system.faults import Redis, locked_sqlite
from tests.system.proxy import Proxy
from tests.system.stack import PATIENCE_SECONDS, Stack, create_stack, finished, only_sqlite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(autouse=True)
def _quick(request: pytest.FixtureRequest) -> None:
    if "stack" in request.fixturenames:
        make_quick(request.getfixturevalue("stack"))


def make_quick(stack: Stack) -> None:
    stack.settings |= {"TASKS_WORKER_LEASE_SECONDS": "3", "TASKS_WORKER_GRACE_SECONDS": "1"}


@only_sqlite
def test_a_redis_that_drops_and_refuses_costs_no_job(stack: Stack) -> None:
    with Proxy.to(stack.redis_url) as proxy:
        stack.redis_url = proxy.instead_of(stack.redis_url)
        workers = [stack.start_worker() for _ in range(2)]
        scheduler = stack.start_scheduler("--max-jobs", "6")
        for point in (Failpoint.CLAIMED, Failpoint.RECORDED):
            hold = stack.hold(point)
            hold.pid()
            with proxy.refusing():
                hold.release()
                scheduler.wait_for("waiting for a service", times=1 + (point is Failpoint.RECORDED))
            proxy.drop()

        finished(scheduler, *workers)
        stack.require_whole(jobs_wanted=6)


@only_sqlite
def test_a_redis_that_falls_silent_costs_no_job(stack: Stack) -> None:
    """Longer than a job takes, and while one is to be acknowledged."""
    with Proxy.to(stack.redis_url) as proxy:
        stack.redis_url = proxy.instead_of(stack.redis_url)
        worker = stack.start_worker()
        scheduler = stack.start_scheduler("--max-jobs", "4")
        hold = stack.hold(Failpoint.RECORDED)
        hold.pid()
        with proxy.blackholed():
            hold.release()
            scheduler.wait_for("waiting for a service")

        finished(scheduler, worker)
        stack.require_whole(jobs_wanted=4)
        assert "attempt 2" not in worker.said


@only_sqlite
def test_a_redis_that_has_forgotten_everything_costs_no_job(
    stack: Stack, tmp_path: Path, figure: Figure
) -> None:
    redis = Redis(tmp_path)
    redis.start()
    stack.redis_url = redis.url
    stack.gate.touch()
    worker = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", "6")
    stack.wait_for_evaluation()
    stack.gate.unlink()
    hold = stack.hold(Failpoint.PROPOSED)
    hold.pid()
    with stack.database() as database:
        eventually(lambda: stack.count(database, JobState.QUEUED) >= 3, within=30)

    redis.kill()
    killed_at = time.monotonic()
    redis.start()
    hold.release()

    finished(scheduler, worker)
    figure("Redis lost with 3 jobs queued to all of them run", seconds_since(killed_at))
    redis.kill()
    redis.start()  # the doctor asks it
    stack.require_whole(jobs_wanted=6)
    redis.kill()


def test_a_postgresql_that_crashes_costs_no_job(tmp_path: Path, redis_url: str) -> None:
    with own_postgresql() as server, postgresql_database(server.url, "run") as url:
        stack = create_stack(tmp_path / "stack", redis_url, url)
        make_quick(stack)
        try:
            workers = [stack.start_worker() for _ in range(2)]
            scheduler = stack.start_scheduler("--max-jobs", "6")
            hold = stack.hold(Failpoint.PUSHED)
            victim = stack.process(hold.pid())
            server.stop()
            hold.release()
            victim.wait_for("waiting for a service")
            scheduler.wait_for("waiting for a service")
            server.start()

            finished(scheduler, *workers)
            stack.require_whole(jobs_wanted=6)
        finally:
            stack.close()


@only_sqlite
def test_a_database_locked_for_longer_than_leases_costs_no_attempt(stack: Stack) -> None:
    stack.gate.touch()
    worker = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", "3")
    stack.wait_for_evaluation()
    with locked_sqlite(stack.database_url), stack.database() as database:
        stack.gate.unlink()
        eventually(lambda: stack.overdue(database, seconds=6), within=30)

    finished(scheduler, worker)
    stack.require_whole(jobs_wanted=3)
    assert "attempt 2" not in worker.said


@contextmanager
def git_daemon(folder: Path) -> Iterator[str]:
    """A git server for the repositories below a folder; the URL of the folder."""
    port = free_port()
    daemon = subprocess.Popen(
        [
            *("git", "daemon", "--reuseaddr", "--export-all", "--enable=receive-pack"),
            *("--listen=127.0.0.1", f"--port={port}", f"--base-path={folder}", str(folder)),
        ],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield f"git://127.0.0.1:{port}"
    finally:
        subprocess.run(["kill", "--", f"-{daemon.pid}"], check=True)
        daemon.wait()


@only_sqlite
def test_a_remote_that_is_away_is_waited_for(stack: Stack) -> None:
    with git_daemon(stack.folder) as server, Proxy.to(server) as proxy:
        stack.settings["WORKER_REPO_REMOTE_URL"] = f"{proxy.instead_of(server)}/remote.git"
        stack.settings["TASKS_WORKER_LEASE_SECONDS"] = "30"
        worker = stack.start_worker()
        scheduler = stack.start_scheduler("--max-jobs", "3")
        hold = stack.hold(Failpoint.COMMITTED)
        hold.pid()
        with proxy.refusing():
            hold.release()
            worker.wait_for("kept until it can be pushed")

        finished(scheduler, worker)
        stack.require_whole(jobs_wanted=3)
        assert "attempt 2" not in worker.said


@only_sqlite
def test_a_push_whose_answer_was_lost_is_done_once(stack: Stack) -> None:
    """The remote has the branch; the worker only knows that the connection broke."""
    waiting, go_on = stack.folder / "received", stack.folder / "go-on"
    hook = stack.remote / "hooks" / "post-receive"
    hook.parent.mkdir(exist_ok=True)
    with git_daemon(stack.folder) as server, Proxy.to(server) as proxy:
        stack.settings["WORKER_REPO_REMOTE_URL"] = f"{proxy.instead_of(server)}/remote.git"
        worker = stack.start_worker()
        worker.wait_for("worker online")  # having tried to push
        wait = f"touch {waiting}\nwhile ! test -e {go_on}; do sleep 0.05; done"
        hook.write_text(f"#!/bin/sh\n{wait}\n")
        hook.chmod(0o755)
        scheduler = stack.start_scheduler("--max-jobs", "3")
        eventually(waiting.exists, within=PATIENCE_SECONDS)
        proxy.drop()
        go_on.touch()

        finished(scheduler, worker)
        stack.require_whole(jobs_wanted=3)
