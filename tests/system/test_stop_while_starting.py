"""SIGTERM and SIGINT in a start, and while a service is away: heard, and soon (rows 30, 35)."""

import random
import signal
import subprocess
import time
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from loreley.host.failpoints import Failpoint
from tests.services import own_postgresql, postgresql_database
from tests.support import eventually
from tests.system.proxy import Proxy
from tests.system.stack import BUSY_SECONDS, Process, Stack, create_stack, finished, only_sqlite
from tests.system.whole_run import evolve

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_STARTS = 3
_LATEST_SECONDS = 3.0  # a start takes about two


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("role", ["worker", "scheduler"])
def test_a_signal_at_a_random_moment_of_a_start_ends_it(
    role: str, number: signal.Signals, stack: Stack
) -> None:
    moments = random.Random(role + number.name)
    for _ in range(_STARTS):
        process = stack.start_worker() if role == "worker" else stack.start_scheduler()
        eventually(partial(hears, process), every=0.002)
        with suppress(subprocess.TimeoutExpired):
            process.popen.wait(timeout=moments.uniform(0, _LATEST_SECONDS))
        if not process.runs:  # a scheduler has failed for want of a judged root, say
            pytest.fail(process.said)

        code = process.stop(number, within=2.5 + BUSY_SECONDS)

        assert code == 0, process.said
        assert f"{role}: stopped" in process.said
        assert "Traceback" not in process.said


def test_a_scheduler_whose_database_is_away_stops_without_a_failure(
    tmp_path: Path, redis_url: str
) -> None:
    """Row 35."""
    with own_postgresql() as server, postgresql_database(server.url, "run") as url:
        stack = create_stack(tmp_path / "stack", redis_url, url)
        try:
            scheduler = stack.start_scheduler()
            scheduler.wait_for("scheduler online")
            server.stop()
            scheduler.wait_for("waiting for a service")

            code = scheduler.stop(within=2.5 + BUSY_SECONDS)

            server.start()
            assert code == 0, scheduler.said
        finally:
            stack.close()


@only_sqlite
def test_a_scheduler_whose_redis_is_silent_stops_soon(stack: Stack) -> None:
    """Row 35: 5.8 s, as it waits for an answer."""
    with Proxy.to(stack.redis_url) as proxy:
        stack.redis_url = proxy.instead_of(stack.redis_url)
        hold = stack.hold(Failpoint.QUEUED)
        scheduler = stack.start_scheduler()
        hold.pid()
        with proxy.blackholed():
            hold.release()
            began = time.monotonic()

            code = scheduler.stop(within=5 + BUSY_SECONDS)

            assert time.monotonic() - began < 5
            assert code == 0, scheduler.said
            assert "scheduler: stopped" in scheduler.said


@pytest.mark.parametrize("is_busy", [False, True], ids=["idle", "busy"])
@pytest.mark.parametrize("silent", ["redis", "database", "both"])
def test_row_35_a_worker_whose_services_are_silent_stops_soon(
    tmp_path: Path, redis_url: str, postgresql_url: str, silent: str, is_busy: bool
) -> None:
    """Whatever it still wants to say to them."""
    with (
        postgresql_database(postgresql_url, f"run_{uuid4().hex}") as database_url,
        Proxy.to(redis_url) as redis,
        Proxy.to(database_url) as database,
    ):
        urls = redis.instead_of(redis_url), database.instead_of(database_url)
        stack = create_stack(tmp_path / "stack", *urls)
        stack.settings["TASKS_WORKER_GRACE_SECONDS"] = "1"
        try:
            worker = stack.start_worker()
            worker.wait_for("worker online")
            if is_busy:
                stack.gate.touch()
                stack.start_scheduler("--max-jobs", "1")
                stack.wait_for_evaluation()
            with ExitStack() as silence:
                for name, proxy in (("redis", redis), ("database", database)):
                    if silent in (name, "both"):
                        silence.enter_context(proxy.blackholed())
                began = time.monotonic()

                code = worker.stop(within=60)

                seconds = time.monotonic() - began
            assert code == 0, worker.said
            assert "worker: stopped" in worker.said
            assert seconds < (1 + 3 if is_busy else 2.5) + BUSY_SECONDS
        finally:
            stack.close()


def test_row_38_a_whole_run_whose_database_is_silent_hears_a_stop(
    tmp_path: Path, redis_url: str, postgresql_url: str
) -> None:
    """It waited for an answer, and nothing else."""
    with (
        postgresql_database(postgresql_url, f"run_{uuid4().hex}") as url,
        Proxy.to(url) as proxy,
    ):
        stack = create_stack(tmp_path / "stack", redis_url, proxy.instead_of(url))
        stack.settings["TASKS_WORKER_GRACE_SECONDS"] = "1"
        try:
            stack.gate.touch()
            run = evolve(stack, 3)
            stack.wait_for_evaluation()
            with proxy.blackholed():
                run.wait_for("evolve: waiting for the database")
                began = time.monotonic()

                code = run.stop(within=60)

                # The grace period, its processes, and once more the database.
                assert time.monotonic() - began < 1 + 10 + 10 + BUSY_SECONDS
            assert code == 1
            assert "the database does not answer" in run.said
            assert "Traceback" not in run.said
        finally:
            stack.close()


def test_row_38_a_scheduler_that_is_done_waits_for_no_lock(
    tmp_path: Path, redis_url: str, postgresql_url: str
) -> None:
    """As a process that was frozen in a transaction may hold."""
    with postgresql_database(postgresql_url, f"run_{uuid4().hex}") as url:
        stack = create_stack(tmp_path / "stack", redis_url, url)
        try:
            worker = stack.start_worker()
            finished(stack.start_scheduler("--max-jobs", "1"), worker)
            with psycopg.connect(url.replace("+psycopg", "")) as other:
                other.execute("LOCK TABLE activity IN EXCLUSIVE MODE")
                scheduler = stack.start_scheduler("--max-jobs", "1")
                scheduler.wait_for("every job of the budget is done")
                began = time.monotonic()

                code = scheduler.popen.wait(timeout=60)

                assert time.monotonic() - began < 3 + BUSY_SECONDS
            assert code == 0, scheduler.said
        finally:
            stack.close()


def hears(process: Process) -> bool:
    """Whether the script has its handlers; that of SIGTERM is set last."""
    status = Path(f"/proc/{process.popen.pid}/status").read_text()
    [caught] = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)
