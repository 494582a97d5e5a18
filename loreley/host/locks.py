"""Locks on files: the kernel ends them with the last process that holds them, however it dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from loreley.host.deadline import Deadline

_POLL_SECONDS = 0.01
_SLICE_SECONDS = 0.1  # how long a request to stop may go unnoticed


class FileLock:
    """A lock on the file at ``path``, whose text may say who holds it, or for what.

    No process id decides, so that no later process can be mistaken for the holder. Processes
    may share the lock, and hand it on to what they become.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """The lock on ``path``, held alone; None while somebody else holds it."""
        lock = cls(path)
        return lock if lock.acquire() else None

    @property
    def descriptor(self) -> int:
        """The open file that carries the lock; a process that inherits it holds the lock too."""
        assert self._descriptor is not None, "the lock is not held"
        return self._descriptor

    def acquire(self, *, shared: bool = False, within_seconds: float = 0.0) -> bool:
        """Take the lock; False when others kept it for so long. `OSError` without the file."""
        end = time.monotonic() + within_seconds
        while not self._acquire_at_once(shared):
            if time.monotonic() >= end:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def release(self) -> None:
        """Let go of the lock; processes that inherited it keep it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def remove(self) -> None:
        """Delete the file, then let go of the lock."""
        self._path.unlink(missing_ok=True)
        self.release()

    def is_held_by_anyone(self) -> bool:
        """Whether some process, this one included, holds the lock in any way."""
        if self._descriptor is None and self.acquire():
            self.release()
            return False
        return True

    def survive_exec(self) -> None:
        """Keep the lock when this process becomes another program; children do not get it."""
        os.set_inheritable(self.descriptor, True)

    def is_on_disk(self) -> bool:
        """Whether the locked file still is the one at its path."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self.descriptor))
        except FileNotFoundError:
            return False

    @property
    def text(self) -> str:
        """What the last holder wrote; empty where there is no such file."""
        return read_lock_text(self._path)

    def write(self, text: str) -> None:
        """Replace the text; a crash in between leaves it empty."""
        os.truncate(self.descriptor, 0)
        os.pwrite(self.descriptor, text.encode(), 0)

    def holder_pid(self) -> int | None:
        """The process id that the text is; trust it only while the lock is held."""
        try:
            return int(self.text)
        except (OSError, ValueError):
            return None

    def _acquire_at_once(self, shared: bool) -> bool:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        while self._descriptor is None:
            self._descriptor = os.open(self._path, flags, 0o600)
            is_ours = False
            try:
                if not lock_descriptor(self._descriptor, shared=shared, wait=False):
                    return False
                is_ours = self.is_on_disk()  # else its last holder has just removed it
            finally:
                if not is_ours:
                    self.release()
        return True


@contextmanager
def hold_lock(path: Path, deadline: Deadline) -> Iterator[None]:
    """Keep other threads and processes out of what ``path`` stands for.

    Waits for them until ``deadline``, whose errors are raised.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    deadline.check(f"waiting for {path}")
    while not lock.acquire(within_seconds=min(_SLICE_SECONDS, deadline.remaining_seconds)):
        deadline.check(f"waiting for {path}")
    try:
        yield
    finally:
        lock.release()


def lock_descriptor(descriptor: int, *, shared: bool, wait: bool) -> bool:
    """Lock an open file or folder until it is closed; False, rather than wait, for a held one."""
    wanted = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, wanted if wait else wanted | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_locked(path: Path) -> bool:
    """Whether some process holds a lock on a file or folder; False where there is none such."""
    with suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            return not lock_descriptor(descriptor, shared=False, wait=False)
        finally:
            os.close(descriptor)
    return False


def read_lock_text(path: Path) -> str:
    """What the holder of the lock at ``path`` wrote, without holding it; empty without a file."""
    try:
        return path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return ""
