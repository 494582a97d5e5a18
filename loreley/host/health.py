"""Whether this process lives and is ready, for whoever watches over it: HTTP probes and systemd."""

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress

_SILENT_SECONDS = 120.0  # without a beat the process hangs


class Health:
    """Beaten by the loop that does the work; what keeps the process from work is its trouble.

    systemd is told by its protocol (sd_notify(3)) where ``NOTIFY_SOCKET`` names a socket: that
    the process is ready, how it is, that it lives, and that it stops.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.trouble = "starting"  # why it is not ready; empty: it is
        self._clock = clock
        self._beaten_at: float | None = None
        self._told = ""

    @property
    def is_alive(self) -> bool:
        """Whether the last beat is not long ago; a start may take its time."""
        return self._beaten_at is None or self._clock() - self._beaten_at < _SILENT_SECONDS

    def beat(self, trouble: str = "") -> None:
        """Say that the work goes on, or what keeps it at the moment."""
        self.trouble, self._beaten_at = trouble, self._clock()
        state, status = ["WATCHDOG=1"], trouble or "online"
        if status != self._told:
            state += [f"STATUS={status}", *([] if trouble else ["READY=1"])]
            self._told = status
        _notify("\n".join(state))

    def stop(self) -> None:
        """Say that the process is about to end."""
        self.trouble = "stopping"
        _notify("STOPPING=1")


def _notify(state: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    name = f"\0{address[1:]}" if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(state.encode(), name)
