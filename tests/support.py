"""What tests of several rooms share."""

import time
from collections.abc import Callable
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
