"""Advisory locks on files that several processes may share and hand on to what they become."""

import fcntl
import os
import time
from pathlib import Path

_POLL_SECONDS = 0.05


class FileLock:
    """A lock on the file at ``path``; the kernel ends it with the last process that holds it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def descriptor(self) -> int:
        """The open file that carries the lock; a process that inherits it holds the lock too."""
        assert self._descriptor is not None, "the lock is not held"
        return self._descriptor

    def acquire(self, *, shared: bool = False, within_seconds: float = 0.0) -> bool:
        """Take the lock, or tell that others kept it for so long; `OSError` without the file."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path, flags, 0o600)
        wanted = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        end = time.monotonic() + within_seconds
        try:
            while not _locked(descriptor, wanted):
                if time.monotonic() >= end:
                    return False
                time.sleep(_POLL_SECONDS)
            self._descriptor, descriptor = descriptor, -1
            return True
        finally:
            if descriptor >= 0:
                os.close(descriptor)

    def release(self) -> None:
        """Let go of the lock; processes that inherited it keep it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

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

    def write_pid(self, pid: int) -> None:
        """Note in the locked file who holds it."""
        os.truncate(self.descriptor, 0)
        os.pwrite(self.descriptor, f"{pid}\n".encode(), 0)

    def holder_pid(self) -> int | None:
        """The process id noted in the file; trust it only while the lock is held."""
        try:
            return int(self._path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None


def is_locked(path: Path) -> bool:
    """Whether a process holds a lock on the file; `OSError` where there is none."""
    with path.open("rb") as file:
        return not _locked(file.fileno(), fcntl.LOCK_EX)


def _locked(descriptor: int, wanted: int) -> bool:
    try:
        fcntl.flock(descriptor, wanted | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
