"""Where an embedded queue server keeps its files, and how it is spoken to."""

import hashlib
import os
import re
import socket
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from loreley.errors import ConfigError

_LONGEST_SOCKET_PATH_BYTES = 100  # the system's limit is 104 on macOS, 108 on Linux
_ANSWER_SECONDS = 2.0
_LARGEST_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class ServerFolder:
    """The embedded server's part of a state folder; ``path`` is absolute."""

    path: Path

    @classmethod
    def below(cls, state_dir: Path) -> "ServerFolder":
        """The server's folder of ``state_dir``, the same for every way to write that path."""
        return cls(state_dir.expanduser().resolve() / "redis")

    @property
    def users_lock(self) -> Path:
        """Shared by every process that uses the server."""
        return self.path / "users.lock"

    @property
    def start_lock(self) -> Path:
        """Held by the process that is starting a guardian."""
        return self.path / "start.lock"

    @property
    def guardian_lock(self) -> Path:
        """Held by the guardian for its life."""
        return self.path / "guardian.lock"

    @property
    def server_lock(self) -> Path:
        """Held by the server itself for its life."""
        return self.path / "server.lock"

    @property
    def log(self) -> Path:
        """What guardian and server report."""
        return self.path / "server.log"

    @property
    def socket_path(self) -> Path:
        """The server's socket: in the folder, or in a private one where that path is too long.

        It depends on nothing but the folder, so that every process agrees on it.
        """
        near = self.path / "r.sock"
        if len(os.fsencode(near)) <= _LONGEST_SOCKET_PATH_BYTES:
            return near
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return Path("/tmp") / f"loreley-{os.getuid()}-{digest}" / "r.sock"  # noqa: S108 - checked

    @property
    def url(self) -> str:
        """The server's address as TASKS_REDIS_URL has it."""
        return f"unix://{quote(str(self.socket_path))}?db=0"

    def make(self) -> None:
        """Make the folders, readable to this user only; raise `ConfigError` where that fails."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o700)
            self.socket_path.parent.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise _unusable(self.path, str(error)) from error
        status = self.socket_path.parent.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            raise _unusable(self.socket_path.parent, "it is not a folder of this user")
        if status.st_mode & 0o077:
            raise _unusable(self.socket_path.parent, "other users may enter it")


@dataclass(frozen=True, slots=True)
class ServerVersion:
    """What answers on the socket."""

    name: str  # "Valkey" or "Redis"
    number: str
    binary: str


def is_answering(path: Path) -> bool:
    """Whether a server that has loaded its data answers on the socket."""
    try:
        return _ask(path, b"PING\r\n", lambda answer: b"\n" in answer).startswith(b"+PONG")
    except OSError:
        return False


def read_version(path: Path) -> ServerVersion:
    """Ask the server on the socket what it is; raises `OSError` when it does not answer."""
    text = _ask(path, b"INFO server\r\n", _is_whole_bulk).decode("utf-8", "replace")
    lines = dict(re.findall(r"^(\w+):(.*?)\r?$", text, re.MULTILINE))
    name = "Valkey" if "valkey_version" in lines else "Redis"
    number = lines.get("valkey_version") or lines.get("redis_version", "")
    return ServerVersion(name, number, lines.get("executable", ""))


def _ask(path: Path, command: bytes, is_whole: Callable[[bytes], bool]) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_ANSWER_SECONDS)
        connection.connect(os.fspath(path))
        connection.sendall(command)
        answer = b""
        while not is_whole(answer) and len(answer) < _LARGEST_ANSWER_BYTES:
            received = connection.recv(4096)
            if not received:
                break
            answer += received
        return answer


def _is_whole_bulk(answer: bytes) -> bool:
    head, newline, body = answer.partition(b"\r\n")
    if not newline:
        return False
    return not head.startswith(b"$") or len(body) >= int(head[1:])


def _unusable(folder: Path, reason: str) -> ConfigError:
    return ConfigError(
        "the embedded queue server cannot use its folder",
        setting="LORELEY_STATE_DIR",
        target=str(folder),
        reason=reason,
        fix="set LORELEY_STATE_DIR to a folder of this user, or TASKS_REDIS_URL to a server",
    )
