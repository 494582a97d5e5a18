"""One small process beside ours that ends our children when we die without having done so."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from loreley.host.subreaper import hold_sweeps, untrack

# Reads `+ id` and `- id` until its input ends, which is when we have, in whatever way. What the
# kernel offers, PR_SET_PDEATHSIG, reaches a child alone: not git's helpers, nor a remote's hook.
_SCRIPT = """
trap '' HUP INT TERM
running=' '
while read -r sign id; do
  case $sign in
    +) running="$running$id " ;;
    -) running="${running%% $id *} ${running#* $id }" ;;
  esac
done
for id in $running; do kill -s KILL -- "-$id" 2>/dev/null; done
"""
_END_SECONDS = 5.0

_lock = threading.Lock()
_pipe: int | None = None


@contextmanager
def guard_children() -> Iterator[None]:
    """Have what `loreley.host.children` runs meanwhile die with us, by kill -9 too."""
    global _pipe
    reader, writer = os.pipe()
    os.set_blocking(writer, False)  # a guard that is stopped holds up nobody
    with hold_sweeps() as track:
        guard = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT],
            stdin=reader,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={},
            start_new_session=True,
        )
        track(guard.pid)
    os.close(reader)
    with _lock:
        _pipe = writer
    try:
        yield
    finally:
        with _lock:
            _pipe = None
        os.close(writer)
        try:
            guard.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            guard.kill()
            guard.wait()
        untrack(guard.pid)


def note_start(pid: int) -> None:
    """The child leads a group of processes that is to die with us."""
    _tell(f"+ {pid}\n")


def note_end(pid: int) -> None:
    """The child has been waited for: its id means nothing any more."""
    _tell(f"- {pid}\n")


def _tell(line: str) -> None:
    with _lock, suppress(OSError):  # of a guard that somebody has ended
        if _pipe is not None:
            os.write(_pipe, line.encode())
