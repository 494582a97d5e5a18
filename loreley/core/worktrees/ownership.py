"""Who owns what on this host: locks that the system drops when their process dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Self

from filelock import FileLock, Timeout

from loreley.host.deadline import Deadline

_SLICE_SECONDS = 0.1  # how long a request to stop may go unnoticed
_POLL_SECONDS = 0.01


class Ownership:
    """A file that one live process holds; its text says for what.

    A lock of the system, not a process id, so it ends with the process, however that dies,
    and no later process can be mistaken for it.
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path = path
        self._file = file

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """Hold ``path``, made where it is missing; None while somebody else holds it."""
        while True:
            file = path.open("ab+", buffering=0)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_still_at(file, path):
                    return cls(path, file)
            except BlockingIOError:
                file.close()
                return None
            except BaseException:
                file.close()
                raise
            file.close()  # its last owner has just removed it: begin again with a new one

    @property
    def text(self) -> str:
        """What was last written."""
        return owner_text(self._path)

    def write(self, text: str) -> None:
        """Replace the text; a crash in between leaves it empty."""
        self._file.truncate(0)
        self._file.write(text.encode())

    def release(self) -> None:
        """Let others hold the file."""
        self._file.close()

    def remove(self) -> None:
        """Delete the file, then let go of it."""
        with suppress(FileNotFoundError):
            self._path.unlink()
        self._file.close()


def owner_text(path: Path) -> str:
    """What the owner of ``path`` wrote, without holding it; empty when there is no such file."""
    try:
        return path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return ""


@contextmanager
def exclusively(path: Path, deadline: Deadline) -> Iterator[None]:
    """Keep other threads and processes out of what ``path`` stands for.

    Waits for them until ``deadline``, whose errors are raised.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, thread_local=False, mode=0o600)
    while True:
        deadline.check(f"waiting for {path}")
        try:
            lock.acquire(
                timeout=min(_SLICE_SECONDS, deadline.remaining_seconds), poll_interval=_POLL_SECONDS
            )
            break
        except Timeout:
            continue
    try:
        yield
    finally:
        lock.release()


def _is_still_at(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
