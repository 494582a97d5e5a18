"""Child processes that go on by themselves: services, rather than steps of a piece of work."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from loreley.errors import CommandFailed

_PR_SET_PDEATHSIG = 1  # from linux/prctl.h


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    output: int,
    keep: Sequence[int] = (),
    die_with_parent: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own that may outlive the caller.

    Both its streams go to the open file ``output``; it inherits the open files in ``keep`` and
    no others. With ``die_with_parent`` Linux sends it SIGTERM when the starting thread ends.
    Raises `CommandFailed` when it cannot be started.
    """
    try:
        return subprocess.Popen(
            argv,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=keep,
            start_new_session=True,
            preexec_fn=_make_die_with_parent() if die_with_parent else None,
        )
    except OSError as error:
        raise CommandFailed(f"cannot start {argv[0]!r}", reason=str(error)) from error


def _make_die_with_parent() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    import ctypes  # costs milliseconds that only a guardian should pay

    libc, parent = ctypes.CDLL(None), os.getpid()

    def ask_the_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended before the kernel was asked
            os.kill(os.getpid(), signal.SIGTERM)

    return ask_the_kernel
