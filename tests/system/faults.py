"""Faults that happen to services and to the host, done to real ones."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.services import free_port, missing_service, redis_server


@dataclass
class Redis:
    """A Redis without persistence that can be killed and started again at the same port."""

    folder: Path
    port: int = field(default_factory=free_port)
    _running: AbstractContextManager[str] | None = None

    @property
    def url(self) -> str:
        """Where it is, or was."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it; it knows nothing."""
        self._running = redis_server(self.folder, port=self.port)
        self._running.__enter__()

    def kill(self) -> None:
        """End it; all that it held is lost."""
        if self._running is not None:
            self._running.__exit__(None, None, None)
            self._running = None


@contextmanager
def locked_sqlite(url: str, *, patience_seconds: float = 10) -> Iterator[None]:
    """Hold the write lock of a SQLite database, as a hung process does."""
    path = url.removeprefix("sqlite:///")
    with sqlite3.connect(path, isolation_level=None, timeout=patience_seconds) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def small_filesystem(folder: Path, size: str) -> Iterator[Path]:
    """A file system of so many bytes, such as ``4m``, mounted at ``folder``."""
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], capture_output=True
    )
    if mounted.returncode != 0:
        missing_service("the right to mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave no byte free on the file system of ``folder``; the file that fills it."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            while True:
                try:
                    file.write(b"\0" * size)
                except OSError:
                    break
    os.sync()
    return path
