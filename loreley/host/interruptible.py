"""Work of a library that cannot be interrupted, waited for in a way that can."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from loreley.host.deadline import Deadline

_LOOK_EVERY_SECONDS = 0.05  # how long a request to stop may go unnoticed

Result = TypeVar("Result")


def run_interruptibly(
    work: Callable[[], Result],
    deadline: Deadline,
    doing: str,
    check: Callable[[], None] = lambda: None,
) -> Result:
    """What ``work`` returns or raises, given up when the deadline passes or a stop is asked for.

    It goes on in a thread of its own then, until its connection is closed. ``doing`` is what the
    deadline says was cut off. ``check`` is called meanwhile, and may give it up by raising.
    """
    started = _start(work, doing)
    while not started.is_over.wait(_LOOK_EVERY_SECONDS):
        deadline.check(doing)
        check()
    return started.result()


class Background(Generic[Result]):
    """Work that is asked for again and again, and may hang: it then goes on by itself, once."""

    def __init__(self, work: Callable[[], Result], doing: str) -> None:
        self._work = work
        self._doing = doing
        self._started: _Started[Result] | None = None

    @property
    def waited_seconds(self) -> float:
        """For how long the work has been going on; 0: it is not."""
        return time.monotonic() - self._started.at if self._started else 0.0

    def ask(self, seconds: float) -> Result | None:
        """What the work returns or raises; None where it is not done within ``seconds``."""
        started = self._started = self._started or _start(self._work, self._doing)
        if not started.is_over.wait(seconds):
            return None
        self._started = None
        return started.result()


@dataclass(frozen=True, slots=True)
class _Started(Generic[Result]):
    results: list[Result] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)
    at: float = field(default_factory=time.monotonic)

    def result(self) -> Result:
        if self.errors:
            raise self.errors[0]
        return self.results[0]


def _start(work: Callable[[], Result], doing: str) -> "_Started[Result]":
    started: _Started[Result] = _Started()

    def run() -> None:
        try:
            started.results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            started.errors.append(error)
        finally:
            started.is_over.set()

    threading.Thread(target=run, name=doing, daemon=True).start()
    return started
