"""Times a program by its own CPU time; a result that is not the expected one has no time."""

import hashlib
import resource
import subprocess
import sys
import time

COMMAND = [sys.executable, "main.py"]  # run in the candidate's checkout
INPUT = b""  # what it reads from stdin; large enough that a run takes a second or so
EXPECTED = ""  # the SHA-256 of what it has to print; the first evaluation says which
WARM_UPS, RUNS = 1, 5  # raise RUNS where the noise is larger than the gain that is hoped for


def evaluate(context):
    """What Loreley calls: measures the checkout in ``context.worktree``."""
    end = time.monotonic() + context.timeout_seconds - 5
    seconds = [run(context.worktree, end) for _ in range(WARM_UPS + RUNS)][WARM_UPS:]
    return {
        "summary": f"{min(seconds):.4f} s at least, {max(seconds):.4f} s at most",
        "metrics": [
            {"name": "seconds", "value": min(seconds), "unit": "s", "higher_is_better": False}
        ],
    }


def run(worktree, end):
    """The CPU time of one run, in seconds; raises `ValueError` where its result is wrong."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        COMMAND, cwd=worktree, input=INPUT, capture_output=True, timeout=end - time.monotonic()
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise ValueError(f"it failed: {done.stderr.decode(errors='replace')[-300:]}")
    digest = hashlib.sha256(done.stdout).hexdigest()
    if digest != EXPECTED:
        raise ValueError(f"the result is wrong, or EXPECTED is not set: its SHA-256 is {digest}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
