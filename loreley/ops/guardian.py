"""The process beside an embedded queue server: starts it, and stops it when nobody uses it."""

import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from loreley.errors import LoreleyError, ServiceUnavailable
from loreley.ops.locking import FileLock
from loreley.ops.server_folder import ServerFolder, answers
from loreley.signals import StopSignals
from loreley.spawn import spawn

READY = "ready"
_POLL_SECONDS = 0.25
_START_SECONDS = 60.0  # an append-only file may have to be loaded
_STOP_SECONDS = 10.0
_RESTARTS = 3  # within _RESTART_WINDOW_SECONDS; more often is hopeless
_RESTART_WINDOW_SECONDS = 60.0
_LARGEST_LOG_BYTES = 1024 * 1024
_UNREADABLE_DATA = re.compile(r"append only file|RDB format|loading the DB", re.IGNORECASE)


class Server:
    """The embedded server as a child of this process."""

    def __init__(self, folder: ServerFolder, binary: Path) -> None:
        self._folder = folder
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_reachable(self) -> bool:
        """Whether the process lives and its socket is there to connect to."""
        alive = self._process is not None and self._process.poll() is None
        return alive and self._folder.socket_path.exists()

    def start(self) -> None:
        """Start the server and wait until it answers, or raise a `LoreleyError`.

        Data it cannot read is set aside: the database knows which jobs are still to be run.
        """
        log_start = self._folder.log.stat().st_size
        try:
            self._start_once()
        except ServiceUnavailable:
            data = self._folder.path / "appendonlydir"
            if not _UNREADABLE_DATA.search(_text_from(self._folder.log, log_start)):
                raise
            _say(f"the data cannot be read, starting without: see {data}.unreadable")
            shutil.rmtree(f"{data}.unreadable", ignore_errors=True)
            data.rename(f"{data}.unreadable")
            self._start_once()

    def _start_once(self) -> None:
        self._folder.make()
        lock = FileLock(self._folder.server_lock)
        if not lock.acquire():
            self._end_leftover(lock)
        try:
            self._process = spawn(
                self._command(),
                env={"PATH": os.defpath, "LC_ALL": "C"},
                cwd=self._folder.path,
                output=sys.stderr.fileno(),
                keep=[lock.descriptor],
                die_with_parent=True,
            )
            lock.write_pid(self._process.pid)
        finally:
            lock.release()
        self._wait_until_it_answers(self._process)

    def _command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._folder.socket_path),
            "unixsocketperm": "700",
            "dir": str(self._folder.path),
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return [str(self._binary), *words]

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + _START_SECONDS
        while not answers(self._folder.socket_path):
            if process.poll() is not None:
                raise ServiceUnavailable(f"the server ended with status {process.returncode}")
            if time.monotonic() > end:
                self.stop()
                raise ServiceUnavailable(f"the server did not answer in {_START_SECONDS:.0f} s")
            time.sleep(0.005)

    def _end_leftover(self, lock: FileLock) -> None:
        """End the server of a guardian that was killed: only it can be holding the lock."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            pid = lock.holder_pid()
            if pid is not None:
                _say(f"ending the server that was left behind, process {pid}")
                _signal(pid, sign)
            if lock.acquire(within_seconds=_STOP_SECONDS):
                return
        raise ServiceUnavailable("another server holds the folder and cannot be ended")

    def stop(self, *, at_once: bool = False) -> None:
        """Let the server write what it has and end; kill it when it takes too long."""
        if self._process is None:
            return
        if at_once:
            self._process.kill()
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


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
        if not self._life.acquire(within_seconds=_STOP_SECONDS):
            raise ServiceUnavailable("another guardian holds the folder")
        self._life.write_pid(os.getpid())
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
        _say("the server is gone, starting it again")
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
            _say(reason)
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


def _say(text: str) -> None:
    now = datetime.now(UTC).isoformat(" ", "milliseconds")
    print(f"{now} guardian {os.getpid()}: {text}", file=sys.stderr, flush=True)


def _text_from(path: Path, offset: int) -> str:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(_LARGEST_LOG_BYTES).decode("utf-8", "replace")


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


if __name__ == "__main__":
    sys.exit(main())
