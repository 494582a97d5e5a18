"""The process beside an embedded queue server: starts it, and stops it when nobody uses it."""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from loreley.errors import LoreleyError, ServiceUnavailable
from loreley.host.locks import FileLock
from loreley.host.signals import StopSignals
from loreley.ops.embedded.folder import ServerFolder
from loreley.ops.embedded.process import STOP_SECONDS, Server, log_line

READY = "ready"
_POLL_SECONDS = 0.25
_RESTARTS = 3  # within _RESTART_WINDOW_SECONDS; more often is hopeless
_RESTART_WINDOW_SECONDS = 60.0


class Guardian:
    """Keeps a server running while somebody uses it."""

    def __init__(self, folder: ServerFolder, server: Server, idle_seconds: float) -> None:
        self._server = server
        self._idle_seconds = idle_seconds
        self._life = FileLock(folder.guardian_lock)
        self._users = FileLock(folder.users_lock)
        self._restarts: list[float] = []

    def run(self, report: Callable[[str], None]) -> None:
        """Start the server, ``report`` that it answers, return when it has been stopped."""
        if not self._life.acquire(within_seconds=STOP_SECONDS):
            raise ServiceUnavailable("another guardian holds the folder")
        self._life.write(f"{os.getpid()}\n")
        with StopSignals() as stop:
            try:
                self._server.start()
                report(READY)
                self._watch(stop)
            finally:
                # In a folder that was removed there is nothing to write to, and the socket
                # that a server unlinks as it ends may be its successor's.
                self._server.stop(at_once=not self._life.is_on_disk())
                self._life.release()

    def _watch(self, stop: StopSignals) -> None:
        """Return when the server should end; nobody can begin to use it from then on."""
        unused_since = None
        while not stop.wait(_POLL_SECONDS) and self._life.is_on_disk():
            if not self._server.is_reachable:
                self._restart()
            if self._users.acquire():
                now = time.monotonic()
                unused_since = unused_since or now
                if now - unused_since >= self._idle_seconds:
                    return
                self._users.release()
            else:
                unused_since = None

    def _restart(self) -> None:
        now = time.monotonic()
        self._restarts = [at for at in self._restarts if now - at < _RESTART_WINDOW_SECONDS]
        if len(self._restarts) >= _RESTARTS:
            raise ServiceUnavailable("the server keeps ending")
        self._restarts.append(now)
        log_line("the server is gone, starting it again")
        self._server.stop()
        self._server.start()


def main() -> int:
    """Detach from the caller and guard; what happened is written to ``--ready-fd``."""
    options = _parse()
    if os.fork():
        os._exit(0)  # an orphan is nobody's child to sweep
    os.umask(0o077)
    folder = ServerFolder(options.folder)
    with os.fdopen(options.ready_fd, "w", buffering=1) as caller:

        def report(line: str) -> None:
            caller.write(f"{line}\n")
            caller.close()

        guardian = Guardian(folder, Server(folder, options.binary), options.idle_seconds)
        try:
            guardian.run(report)
        except (LoreleyError, OSError) as error:
            reason = error.summary if isinstance(error, LoreleyError) else str(error)
            log_line(reason)
            if not caller.closed:
                report(reason)
            return 1
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--idle-seconds", type=float, required=True)
    parser.add_argument("--ready-fd", type=int, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
