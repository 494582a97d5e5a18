"""What tests of several rooms share."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent


def eventually(
    condition: Callable[[], object], *, within: float = 10.0, every: float = 0.02
) -> None:
    """Wait until ``condition()`` is true; fail when it is not within so many seconds."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, f"not within {within} s: {condition}"
        time.sleep(every)


@contextmanager
def killed_at_last(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """The process to talk to; killed at the latest when the block ends."""
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def python_process(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A process to talk to that runs ``code``; killed at the latest when the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with killed_at_last(process):
        yield process
