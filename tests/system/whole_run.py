"""A whole run as `invoke evolve` starts it, on the stack of a test."""

import subprocess
import sys

from loreley.core.jobs import JobState
from tests.support import PROJECT_ROOT
from tests.system.stack import Process, Stack

EVOLVE = """
import sys
from pathlib import Path
from loreley.ops.evolve import evolve
from loreley.ops.messages import failures_as_messages
with failures_as_messages():
    sys.exit(evolve(Path(sys.argv[1], "script"), jobs=int(sys.argv[2]), workers=2))
"""


def evolve(stack: Stack, jobs: int) -> Process:
    """Start a whole run as `invoke evolve` does."""
    said = stack.folder / f"{len(stack.processes)}-evolve.err"
    with said.open("wb") as output:
        popen = subprocess.Popen(
            [sys.executable, "-c", EVOLVE, str(PROJECT_ROOT), str(jobs)],
            env=stack.environment() | {"PYTHONPATH": str(PROJECT_ROOT)},
            cwd=stack.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    process = Process(popen, said)
    stack.processes.append(process)
    return process


def require_nothing_burnt(stack: Stack, jobs: int) -> None:
    """Every job of the budget gave a judged candidate, at its first attempt that counts."""
    stack.require_whole(jobs_wanted=jobs)
    with stack.database() as database:
        rows = [row for row in stack.jobs(database) if row["ordinal"] >= 0]
    assert {row["state"] for row in rows} == {JobState.SUCCEEDED}, rows
    assert {row["attempt"] - row["uncounted_attempts"] for row in rows} == {1}
