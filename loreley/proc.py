"""Child processes: started in a session of their own, bounded, never left behind."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from loreley.deadline import Deadline
from loreley.errors import CommandFailed

_SLICE_SECONDS = 0.1  # how long a request to stop may go unnoticed


@dataclass(frozen=True, slots=True)
class Completed:
    """A child that has ended; ``exit_code`` is negative when a signal ended it."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: bytes
    stderr: bytes


def capture(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    deadline: Deadline,
    cwd: Path | None = None,
    stdin: bytes = b"",
) -> Completed:
    """Run a short command whose output is small and wanted; any exit code is returned.

    Raises `CommandFailed` when it cannot be started, `TimeLimitReached` or the stop's error
    when ``deadline`` ends it; the child's whole process group is killed then.
    """
    try:
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise CommandFailed(
            f"cannot start {argv[0]!r}", target=str(cwd or Path.cwd()), reason=str(error)
        ) from error
    try:
        while True:
            try:
                stdout, stderr = process.communicate(
                    stdin or None, timeout=min(_SLICE_SECONDS, deadline.remaining_seconds)
                )
                return Completed(tuple(argv), process.returncode, stdout, stderr)
            except subprocess.TimeoutExpired:
                deadline.check(f"running {argv[0]}")
    finally:
        _kill_group(process)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            time.sleep(0)
        process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
