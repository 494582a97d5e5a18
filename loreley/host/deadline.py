"""When work must be done, and how another thread asks for it to be given up."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from loreley.errors import LoreleyError, TimeLimitReached


class Stop:
    """A request, made from any thread, that the work in hand be given up."""

    def __init__(self, whole: "Stop | None" = None) -> None:
        """``whole``: the stop of the work that this one is a part of, and ends with."""
        self._asked = threading.Event()
        self._error: LoreleyError | None = None
        self._whole = whole

    def ask(self, error: LoreleyError) -> None:
        """Make the next `check` raise ``error``; of several requests the first counts."""
        if not self._asked.is_set():
            self._error = error
            self._asked.set()

    def check(self) -> None:
        """Raise what was asked with, if a stop was asked for."""
        if self._whole is not None:
            self._whole.check()
        if self._asked.is_set() and self._error is not None:
            raise self._error

    def wait(self, seconds: float) -> None:
        """Sleep for ``seconds``; raise what was asked with as soon as a stop is asked for."""
        self._asked.wait(seconds)
        self.check()


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on ``clock`` after which work is in vain, together with its `Stop`."""

    at: float = math.inf
    stop: Stop = field(default_factory=Stop)
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float, stop: Stop | None = None) -> "Deadline":
        """The deadline ``seconds`` from now; zero or less means none."""
        at = time.monotonic() + seconds if seconds > 0 else math.inf
        return cls(at, stop or Stop())

    def within(self, seconds: float) -> "Deadline":
        """This deadline or ``seconds`` from now, whichever comes first; zero or less: this one."""
        return replace(self, at=min(self.at, self.clock() + seconds)) if seconds > 0 else self

    def postponed(self, seconds: float, latest: "Deadline") -> "Deadline":
        """This deadline so many seconds later, as far as that is not after ``latest``."""
        return replace(self, at=max(self.at, min(self.at + seconds, latest.at)))

    @property
    def remaining_seconds(self) -> float:
        """Seconds left, never negative; infinite without a deadline."""
        return max(0.0, self.at - self.clock())

    def check(self, doing: str) -> None:
        """Raise when a stop was asked for, or `TimeLimitReached` when the time is over."""
        self.stop.check()
        if self.clock() >= self.at:
            raise TimeLimitReached(f"time limit reached while {doing}")
