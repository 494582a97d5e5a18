"""SIGINT and SIGTERM as something to wait for, instead of something that strikes anywhere."""

import os
import select
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

_LOOK_SECONDS = 0.05
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """While entered, counts the requests to stop; must be entered in the main thread.

    Nothing runs inside the signal handler: logging or locking there can deadlock.
    """

    def __init__(self) -> None:
        self.count = 0
        self.last: signal.Signals | None = None
        self._is_heard = threading.Event()
        self._watch: threading.Thread | None = None

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
        self._end_watch()
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._previous_wakeup)
        os.close(self._reader)
        os.close(self._writer)

    @property
    def asked(self) -> bool:
        """Whether a stop was asked for at least once."""
        return self.count > 0

    def check(self) -> None:
        """Raise KeyboardInterrupt, at this point and no other, if a stop was asked for."""
        if self.asked:
            raise KeyboardInterrupt

    def end_if_unheard(self, seconds: float, end: Callable[[], None]) -> None:
        """Call ``end`` in another thread when a stop is not looked at for ``seconds``.

        Until `take_over`: for work that cannot look, as it imports, or waits for a server.
        """
        self._end_watch()
        self._is_heard.clear()
        self._watch = threading.Thread(
            target=self._watch_for, args=(seconds, end), name="stop", daemon=True
        )
        self._watch.start()

    def take_over(self) -> None:
        """Look after every stop from now on; raise KeyboardInterrupt if one was asked for."""
        self._end_watch()
        self.check()

    def end_within(self, seconds: float, end: Callable[[], None]) -> None:
        """Call ``end`` in another thread unless this is left within ``seconds``.

        For a clean-up that may wait for a server, when what is asked of it is said already.
        """
        self._end_watch()
        self._is_heard.clear()
        self._watch = threading.Thread(
            target=self._end_unless_left, args=(seconds, end), name="end", daemon=True
        )
        self._watch.start()

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

    def _watch_for(self, seconds: float, end: Callable[[], None]) -> None:
        while not self._is_heard.wait(_LOOK_SECONDS):
            # By the pipe, which the interpreter writes to even when the main thread runs no
            # handler, within a call to a library; read by `wait` alone.
            if self.asked or select.select([self._reader], [], [], 0)[0]:
                if not self._is_heard.wait(seconds):
                    end()
                return

    def _end_unless_left(self, seconds: float, end: Callable[[], None]) -> None:
        if not self._is_heard.wait(seconds):
            end()

    def _end_watch(self) -> None:
        self._is_heard.set()
        if self._watch is not None:
            self._watch.join()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.count += 1
        self.last = signal.Signals(number)
