"""Which processes below us are ours to wait for, and the end of those that are nobody's."""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_SWEEP_SECONDS = 5.0  # a fork bomb outside a PID namespace can outrun any sweep

_lock = threading.Lock()
_known: set[int] = set()
_adopting = False


@contextmanager
def become_subreaper() -> Iterator[bool]:
    """Be the parent of every descendant whose own parent ends, for a while (Linux only).

    Meanwhile `reap_orphans` reaches daemons that left their session. The process must start
    its children through `loreley.host.children`: any other child in a session of its own counts as
    an orphan, unless it is there already. Yields whether it is in force.
    """
    global _adopting
    if sys.platform != "linux" or _adopting:
        yield _adopting
        return
    # What this program was before exec may have left children, the queue server's guardian
    # among them when this process is a container's first.
    there_already = set(_list_children()) - _known
    _known.update(there_already)
    _adopting = _set_subreaper(True)
    try:
        yield _adopting
    finally:
        _adopting = not _set_subreaper(False)
        _known.difference_update(there_already)


def _set_subreaper(wanted: bool) -> bool:
    """Tell the kernel; whether it agreed."""
    import ctypes  # costs milliseconds that only a worker should pay

    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_PR_SET_CHILD_SUBREAPER, int(wanted), 0, 0, 0) == 0)


@contextmanager
def hold_sweeps() -> Iterator[Callable[[int], None]]:
    """Let no sweep begin; a child whose id is handed over is no orphan until it is untracked."""
    with _lock:
        yield _known.add


def untrack(pid: int) -> None:
    """The child has been waited for: its id means nothing any more."""
    with _lock:
        _known.discard(pid)


def reap_orphans() -> None:
    """Kill and wait for everything that was re-parented to us, and all below it.

    Spared are known children, their sessions, and whatever shares our own session. Does
    nothing outside of `become_subreaper`.
    """
    if not _adopting:
        return
    give_up_at = time.monotonic() + _SWEEP_SECONDS
    with _lock:
        while (orphans := list(_find_orphans())) and time.monotonic() < give_up_at:
            for pid in orphans:
                # Not ours to kill when it is a set-user-id program; it is waited for only.
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            for pid in orphans:
                _wait_briefly(pid)


def _find_orphans() -> Iterator[int]:
    spared = {*_known, os.getsid(0)}
    for pid in _list_children():
        with suppress(ProcessLookupError):
            if pid not in _known and os.getsid(pid) not in spared:
                yield pid


def _wait_briefly(pid: int) -> None:
    with suppress(OSError):
        ended = os.pidfd_open(pid)
        try:
            poll = select.poll()
            poll.register(ended, select.POLLIN)
            poll.poll(100)
        finally:
            os.close(ended)
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _list_children() -> Iterator[int]:
    """Ids of our children, those that have ended but were not waited for included."""
    try:  # plain calls, as this is done after every child
        for task in os.listdir("/proc/self/task"):  # noqa: PTH208
            listing = os.open(f"/proc/self/task/{task}/children", os.O_RDONLY)
            try:
                yield from map(int, _read_to_end(listing).split())
            finally:
                os.close(listing)
    except FileNotFoundError:  # a thread that just ended, or a kernel without these files
        yield from _scan_for_children()


def _read_to_end(file: int) -> bytes:
    pieces = []
    while piece := os.read(file, 65536):
        pieces.append(piece)
    return b"".join(pieces)


def _scan_for_children() -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            _, _, after_name = stat.read_bytes().rpartition(b") ")
            if int(after_name.split()[1]) == os.getpid():
                yield int(stat.parent.name)
