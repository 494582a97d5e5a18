"""Keys from a terminal, one at a time, without Enter; a pipe has none."""

import os
import select
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

_NAMES = {
    "\x1b[A": "up",
    "\x1b[B": "down",
    "\x1bOA": "up",
    "\x1bOB": "down",
    "k": "up",
    "j": "down",
    "\t": "next",
    "\r": "open",
    "\n": "open",
    "\x1b": "back",
    "\x7f": "back",
    "s": "sort",
    "q": "quit",
}
_LONGEST = 32


class Keys:
    """What was pressed; Ctrl+C stays a signal."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    @classmethod
    @contextmanager
    def of_terminal(cls) -> Iterator["Keys"]:
        """The keys of this process's terminal, which is given back as it was."""
        if not sys.stdin.isatty():
            yield cls(None)
            return
        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        tty.setcbreak(descriptor)
        try:
            yield cls(descriptor)
        finally:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

    def pressed(self) -> str:
        """The name of the key that was pressed last; empty: none, or one without a meaning."""
        if self._descriptor is None or not select.select([self._descriptor], [], [], 0)[0]:
            return ""
        text = os.read(self._descriptor, _LONGEST).decode(errors="replace")
        return _NAMES.get(text) or _NAMES.get(text[-1:], "")  # of several the last
