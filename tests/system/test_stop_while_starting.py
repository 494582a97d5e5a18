"""SIGTERM and SIGINT in a start, and while a service is away: heard, and soon (rows 30, 35)."""

import random
import signal
import subprocess
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from loreley.host.failpoints import Failpoint
from tests.services import own_postgresql, postgresql_database
from tests.support import eventually
from tests.system.proxy import Proxy
from tests.system.stack import BUSY_SECONDS, Process, Stack, create_stack, only_sqlite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_STARTS = 6
_LATEST_SECONDS = 3.0  # a start takes about two


@only_sqlite
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


def hears(process: Process) -> bool:
    """Whether the script has its handlers; that of SIGTERM is set last."""
    status = Path(f"/proc/{process.popen.pid}/status").read_text()
    [caught] = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)
