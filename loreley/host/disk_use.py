"""What a child and all that it starts write to the disk, all files together, while they run."""

import os
import stat
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

_LEAST_BYTES = 1024 * 1024  # with less room a disk is as good as full
_SHARE = 0.9  # of the room there was: the rest is for others, who must not fail
_OWN_SHARE = 0.5  # of the room there was; whoever wrote so much has filled the disk
CLOCK_TICK_NS = 20_000_000  # by which the times of files lag behind the clock
# It is measured again after a time, whatever the disk's free room says: others may give some back.
_LEAST_LOOK_SECONDS, _MOST_LOOK_SECONDS = 1.0, 30.0
_LOOK_SHARE = 0.02  # of the time may go into measuring


class DiskUse:
    """Measures some folders when so much has gone from their disk that it may be too much.

    Of files that were there before only those count that were changed meanwhile, of those that
    have no name any more the ones that a descendant of this process holds open.
    """

    def __init__(self, folders: Sequence[Path], limit_bytes: int = 0) -> None:
        """Begins now; a limit of 0 is none, but that of the disk."""
        self._folders = tuple(folders)
        self._began_ns = time.time_ns() - CLOCK_TICK_NS
        self._disks = {
            place.stat().st_dev: place
            for place in (Path(tempfile.gettempdir()), *folders)
            if place.exists()
        }
        self._free = self._read_free()
        own = {folder.stat().st_dev for folder in folders}
        self._room_bytes = min((self._free[disk] for disk in own), default=0)
        self.bound_bytes = min(limit_bytes, int(self._room_bytes * _SHARE)) if limit_bytes else 0
        self.written_bytes = 0  # when it was measured last
        self.full_place: Path | None = None  # on a disk that was full, not by what is measured
        self._look_at = time.monotonic() + _LEAST_LOOK_SECONDS

    def is_too_much(self) -> bool:
        """Whether more was written than may be; costs next to nothing while it cannot be."""
        free, now = self._read_free(), time.monotonic()
        fullest = min(free, key=lambda disk: free[disk])
        is_scarce = free[fullest] < _LEAST_BYTES
        allowed = self.bound_bytes - self.written_bytes
        has_dropped = bool(self.bound_bytes) and any(
            self._free[disk] - free[disk] >= allowed for disk in free
        )
        if has_dropped or now >= self._look_at or (is_scarce and not self.was_full):
            self.written_bytes = self._measure()
            self._free = free
            rest = max((time.monotonic() - now) / _LOOK_SHARE, _LEAST_LOOK_SECONDS)
            self._look_at = now + (
                _LEAST_LOOK_SECONDS if is_scarce else min(rest, _MOST_LOOK_SECONDS)
            )
            if is_scarce and self.written_bytes < self._room_bytes * _OWN_SHARE:
                self.full_place = self._disks[fullest]
        return bool(self.bound_bytes) and self.written_bytes > self.bound_bytes

    @property
    def was_full(self) -> bool:
        """Whether a disk was, and not by what is measured here."""
        return self.full_place is not None

    def describe(self) -> str:
        """How much was written, and may be."""
        written, bound = (size / 2**20 for size in (self.written_bytes, self.bound_bytes))
        return f"{written:.0f} MiB were written, and {bound:.0f} MiB may be"

    def _read_free(self) -> dict[int, int]:
        """The bytes that may still be written, by disk; none where no file can be added."""
        return {disk: _read_free(place) for disk, place in self._disks.items()}

    def _measure(self) -> int:
        sizes: dict[tuple[int, int], int] = {}
        for folder in self._folders:
            for found in _walk(str(folder)):
                if found.st_ctime_ns >= self._began_ns:
                    sizes[found.st_dev, found.st_ino] = found.st_blocks * 512
        for found in _find_nameless():
            if found.st_dev in self._disks:
                sizes[found.st_dev, found.st_ino] = found.st_blocks * 512
        return sum(sizes.values())


def _read_free(place: Path) -> int:
    try:
        found = os.statvfs(place)
    except OSError:  # the folder was removed meanwhile
        return _LEAST_BYTES
    can_add = not found.f_files or found.f_favail > 0
    return found.f_bavail * found.f_frsize if can_add else 0


def _walk(top: str) -> Iterator[os.stat_result]:
    """Every file and folder below ``top``; what vanishes meanwhile is left out."""
    pending = [top]
    while pending:
        for entry in _list_entries(pending.pop()):
            with suppress(OSError):
                found = entry.stat(follow_symlinks=False)
                yield found
                if stat.S_ISDIR(found.st_mode):
                    pending.append(entry.path)


def _list_entries(folder: str) -> list[os.DirEntry[str]]:
    """What is in a folder, also where its owner closed it to hide what it holds."""
    for _ in range(2):
        try:
            with os.scandir(folder) as entries:
                return list(entries)
        except PermissionError:
            with suppress(OSError):
                os.chmod(folder, stat.S_IRWXU)  # noqa: PTH101
        except OSError:
            return []
    return []


def _find_nameless() -> Iterator[os.stat_result]:
    """Regular files without a name that descendants hold open."""
    for pid in _find_descendants():
        with suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208
                with suppress(OSError):
                    found = os.stat(f"/proc/{pid}/fd/{name}")  # noqa: PTH116
                    if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
                        yield found


def _find_descendants() -> Iterator[int]:
    """Ids of the processes below this one; of kernels that do not tell, none."""
    pending = ["self"]
    while pending:
        for children in Path("/proc", pending.pop()).glob("task/*/children"):
            with suppress(OSError):
                found = children.read_text().split()
                pending += found
                yield from map(int, found)
