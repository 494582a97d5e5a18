"""Temporary folders that do not outlive their process, however that ends."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from loreley.host.locks import is_locked, lock_descriptor

_PREFIX = "loreley-temporary-"
_YOUNG_SECONDS = 10.0  # between the making of a folder and its lock


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new empty folder, resolved; removed afterwards, or by the next caller of this user."""
    for abandoned in find_abandoned_folders():
        shutil.rmtree(abandoned, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        lock_descriptor(held, shared=False, wait=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def find_abandoned_folders() -> list[Path]:
    """Temporary folders of this user whose process is gone."""
    place = Path(tempfile.gettempdir())
    return [path for path in place.glob(f"{_PREFIX}*") if _is_abandoned(path)]


def _is_abandoned(folder: Path) -> bool:
    with suppress(OSError):
        status = folder.stat(follow_symlinks=False)
        if status.st_uid == os.geteuid() and time.time() - status.st_mtime >= _YOUNG_SECONDS:
            return not is_locked(folder)
    return False
