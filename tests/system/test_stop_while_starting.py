"""SIGTERM and SIGINT at any moment of a start: heard, and soon (row 30)."""

import random
import signal
import subprocess
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tests.support import eventually
from tests.system.stack import BUSY_SECONDS, Process, Stack, only_sqlite

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


def hears(process: Process) -> bool:
    """Whether the script has its handlers; that of SIGTERM is set last."""
    status = Path(f"/proc/{process.popen.pid}/status").read_text()
    [caught] = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)
