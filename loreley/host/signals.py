"""SIGINT and SIGTERM as something to wait for, instead of something that strikes anywhere."""

import os
import select
import signal
import time
from types import FrameType, TracebackType
from typing import Self

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """While entered, counts the requests to stop; must be entered in the main thread.

    Nothing runs inside the signal handler: logging or locking there can deadlock.
    """

    def __init__(self) -> None:
        self.count = 0
        self.last: signal.Signals | None = None

    def __enter__(self) -> Self:
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(writer, False)
        self._previous_wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        self._writer = writer
        self._previous = {number: signal.signal(number, self._note) for number in _STOP_SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._previous_wakeup)
        os.close(self._reader)
        os.close(self._writer)

    @property
    def asked(self) -> bool:
        """Whether a stop was asked for at least once."""
        return self.count > 0

    def wait(self, seconds: float | None = None, *, until_count: int = 1) -> bool:
        """Sleep until so many stops were asked for, at most ``seconds``; whether they were."""
        end = None if seconds is None else time.monotonic() + seconds
        while self.count < until_count:
            remaining = None if end is None else end - time.monotonic()
            if remaining is not None and remaining <= 0:
                return False
            if select.select([self._reader], [], [], remaining)[0]:
                os.read(self._reader, 4096)
        return True

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.count += 1
        self.last = signal.Signals(number)
