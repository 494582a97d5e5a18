"""Processes of jobs that no worker looks after any more (Linux only)."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_WORKER = b"run_worker.py"
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Stray:
    """A process that outlived its job."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"process {self.pid}: {self.command[:120]}"


def find_strays(base: Path) -> list[Stray]:
    """Processes at work for jobs of the clone at ``base`` without a worker above them.

    They are known by what they were started with: git with the clone's repository, evaluators
    with the job's scratch folder.
    """
    signs = (
        f"--git-dir={base}/.git".encode(),
        f"LORELEY_SCRATCH={base}-worktrees/".encode(),
    )
    return [
        Stray(pid, _read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace").strip())
        for pid in _list_pids()
        if any(sign in _read(pid, "cmdline") + _read(pid, "environ") for sign in signs)
        and not any(_WORKER in _read(one, "cmdline") for one in _list_ancestors(pid))
    ]


def _list_ancestors(pid: int) -> Iterator[int]:
    """The process and all above it."""
    while pid > 1:
        yield pid
        after_name = _read(pid, "stat").rpartition(b") ")[2].split()
        pid = int(after_name[1]) if len(after_name) > 1 else 0


def _list_pids() -> Iterator[int]:
    with suppress(FileNotFoundError):
        for entry in _PROC.iterdir():
            if entry.name.isdecimal():
                yield int(entry.name)


def _read(pid: int, name: str) -> bytes:
    """A file of a process; empty when it is gone or another user's."""
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""
