"""The embedded queue server as a child of its guardian."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from loreley.errors import ServiceUnavailable
from loreley.host.daemons import spawn
from loreley.host.locks import FileLock
from loreley.ops.embedded.folder import ServerFolder, is_answering

_START_SECONDS = 60.0  # an append-only file may have to be loaded
STOP_SECONDS = 10.0
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
            if not _UNREADABLE_DATA.search(read_from(self._folder.log, log_start)):
                raise
            log_line(f"the data cannot be read, starting without: see {data}.unreadable")
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
            lock.write(f"{self._process.pid}\n")
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
        while not is_answering(self._folder.socket_path):
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
                log_line(f"ending the server that was left behind, process {pid}")
                _send_signal(pid, sign)
            if lock.acquire(within_seconds=STOP_SECONDS):
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
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def log_line(text: str) -> None:
    """Add a line to the log that guardian and server share."""
    now = datetime.now(UTC).isoformat(" ", "milliseconds")
    print(f"{now} guardian {os.getpid()}: {text}", file=sys.stderr, flush=True)


def read_from(path: Path, offset: int) -> str:
    """What stands in the log from an offset on."""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(_LARGEST_LOG_BYTES).decode("utf-8", "replace")


def _send_signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
