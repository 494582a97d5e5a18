"""Child processes: started in a session of their own, bounded, never left behind."""

import math
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

from loreley.errors import CommandFailed
from loreley.host.deadline import Deadline
from loreley.host.disk_use import DiskUse
from loreley.host.orphan_guard import guard_children as guard_children
from loreley.host.orphan_guard import note_end, note_start
from loreley.host.subreaper import become_subreaper as become_subreaper
from loreley.host.subreaper import hold_sweeps, reap_orphans, untrack

CAPTURE_LIMIT_BYTES = 64 * 1024 * 1024
_SLICE_SECONDS = 0.05  # how long a request to stop may go unnoticed
_ENDING_SIGNALS = frozenset(
    {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGILL, signal.SIGTRAP, signal.SIGABRT}
    | {signal.SIGBUS, signal.SIGFPE, signal.SIGKILL, signal.SIGSEGV, signal.SIGPIPE}
    | {signal.SIGALRM, signal.SIGTERM, signal.SIGXCPU, signal.SIGXFSZ, signal.SIGSYS}
)
_SIGNALLED = 128  # what shells and sandboxes add to the number of the signal that ended a child


@dataclass(frozen=True, slots=True)
class Completed:
    """A child that has ended; ``exit_code`` is negative when a signal ended it."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: bytes
    stderr: bytes


class Ending(StrEnum):
    """How a child came to its end."""

    EXITED = "exited"  # by itself, or by a signal that was not ours
    OVERDUE = "overdue"  # killed at its deadline
    SILENT = "silent"  # killed because it printed nothing for too long
    OVERFULL = "overfull"  # killed, or ended, having written too much to the disk


@dataclass(frozen=True, slots=True)
class Outcome:
    """A child that has ended, together with everything it had started."""

    argv: tuple[str, ...]
    ending: Ending
    exit_code: int  # negative when a signal ended it
    seconds: float

    @property
    def succeeded(self) -> bool:
        """Whether it ended by itself with exit code 0."""
        return self.ending is Ending.EXITED and self.exit_code == 0

    def __str__(self) -> str:
        match self.ending:
            case Ending.OVERDUE:
                return f"killed at its time limit after {self.seconds:.1f} s"
            case Ending.SILENT:
                return f"killed after printing nothing for too long, {self.seconds:.1f} s in all"
            case Ending.OVERFULL:
                return f"killed after {self.seconds:.1f} s, as it wrote too much to the disk"
        number = -self.exit_code if self.exit_code < 0 else self.exit_code - _SIGNALLED
        # A shell's 128 and more may also be an exit code, as 144 is: nothing sends SIGSTKFLT.
        if self.exit_code < 0 or number in _ENDING_SIGNALS:
            with suppress(ValueError):
                return f"ended by {signal.Signals(number).name}"
        return f"exit code {self.exit_code}"


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    deadline: Deadline,
    output: IO[bytes],
    errors: IO[bytes] | None = None,
    cwd: Path | None = None,
    stdin: bytes = b"",
    idle_seconds: float = 0.0,
    may_be_silent: Callable[[], bool] = lambda: False,
    disk: DiskUse | None = None,
) -> Outcome:
    """Run a command that may take long or behave badly; however it ends, its whole tree is killed.

    It writes to ``output``, an open file, and its stderr to ``errors`` or there too; a pipe
    would let a forgotten daemon block us. With ``idle_seconds`` above zero it is killed when
    both have not grown for that long, unless it ``may_be_silent``, and with ``disk`` when it has
    written too much. Raises `CommandFailed` when it cannot be started and the stop's error when
    ``deadline`` is asked to stop; a passed deadline is an `Outcome`.
    """
    began = time.monotonic()
    files = [output] if errors is None else [output, errors]
    silence = _Silence(files, idle_seconds, may_be_silent)
    ending = Ending.EXITED
    with _running_child(argv, env, cwd, stdin, output, errors or subprocess.STDOUT) as process:
        for _ in _slices(process, deadline):
            deadline.stop.check()
            if deadline.remaining_seconds <= 0:
                ending = Ending.OVERDUE
                break
            if silence.is_too_long():
                ending = Ending.SILENT
                break
            if disk is not None and disk.is_too_much():
                ending = Ending.OVERFULL
                break
        if ending is Ending.EXITED and disk is not None and disk.is_too_much():
            ending = Ending.OVERFULL  # it was quick
    return Outcome(tuple(argv), ending, process.returncode, time.monotonic() - began)


def capture(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    deadline: Deadline,
    cwd: Path | None = None,
    stdin: bytes = b"",
) -> Completed:
    """Run a short command whose output is small and wanted; any exit code is returned.

    Raises `CommandFailed` when it cannot be started or prints more than
    `CAPTURE_LIMIT_BYTES`, `TimeLimitReached` or the stop's error when ``deadline`` ends it;
    all that it started is killed with it.
    """
    with _open_memory_file() as stdout, _open_memory_file() as stderr:
        with _running_child(argv, env, cwd, stdin, stdout, stderr) as process:
            for _ in _slices(process, deadline):
                deadline.check(f"running {argv[0]}")
                _check_size(argv, stdout, stderr)
        _check_size(argv, stdout, stderr)
        return Completed(
            tuple(argv), process.returncode, _read_content(stdout), _read_content(stderr)
        )


@contextmanager
def _running_child(
    argv: Sequence[str],
    env: Mapping[str, str],
    cwd: Path | None,
    stdin: bytes,
    stdout: IO[bytes],
    stderr: IO[bytes] | int,
) -> Iterator[subprocess.Popen[bytes]]:
    """A running child; on leaving, it and all it started are dead and it has been waited for."""
    with _open_input(stdin) as source:
        process = start_tree(argv, env, cwd, source, stdout, stderr)
    try:
        yield process
    finally:
        end_tree(process)


def start_tree(
    argv: Sequence[str],
    env: Mapping[str, str],
    cwd: Path | None,
    stdin: IO[bytes] | int,
    stdout: IO[bytes] | int,
    stderr: IO[bytes] | int,
) -> subprocess.Popen[bytes]:
    """Start a child whose starter calls `end_tree` in any case; raises `CommandFailed`."""
    # Without its byte code a Python child imports two to three times as slowly.
    environment = {name: env[name] for name in env if name != "PYTHONDONTWRITEBYTECODE"}
    try:
        with hold_sweeps() as track:
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=environment,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            note_start(process.pid)
            track(process.pid)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte among the arguments
        raise CommandFailed(
            f"cannot start {argv[0]!r}", target=str(cwd or Path.cwd()), reason=str(error)
        ) from error
    return process


def end_tree(process: subprocess.Popen[bytes]) -> None:
    """Kill the child and what is in its session, and wait for it."""
    # Before the wait, as long as nobody else can have been given its id. EPERM is macOS' answer
    # for a group in which only zombies are left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    note_end(process.pid)
    untrack(process.pid)
    reap_orphans()


def _slices(process: subprocess.Popen[bytes], deadline: Deadline) -> Iterator[None]:
    """Yield every now and then until the child has ended."""
    with _watch_end(process) as has_ended:
        while not has_ended(min(_SLICE_SECONDS, deadline.remaining_seconds)):
            yield


@contextmanager
def _watch_end(process: subprocess.Popen[bytes]) -> Iterator[Callable[[float], bool]]:
    """A function that waits so many seconds for the child's end and returns whether it came."""
    try:
        pidfd = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # not Linux, or forbidden by a container's filter
        yield lambda seconds: _wait_by_polling(process, seconds)
        return
    try:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        yield lambda seconds: bool(poll.poll(math.ceil(seconds * 1000)))
    finally:
        os.close(pidfd)


def _wait_by_polling(process: subprocess.Popen[bytes], seconds: float) -> bool:
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.returncode is not None


class _Silence:
    """Watches files that should grow."""

    def __init__(
        self, files: Sequence[IO[bytes]], limit_seconds: float, is_excused: Callable[[], bool]
    ) -> None:
        self._files = files
        self._is_excused = is_excused
        self._limit_seconds = limit_seconds
        self._size = -1
        self._since = time.monotonic()

    def is_too_long(self) -> bool:
        """Whether the files have had the same size for longer than the limit."""
        if self._limit_seconds <= 0:
            return False
        size, now = sum(map(_size, self._files)), time.monotonic()
        if size != self._size or self._is_excused():
            self._size, self._since = size, now
        return now - self._since > self._limit_seconds


@contextmanager
def _open_input(content: bytes) -> Iterator[IO[bytes] | int]:
    """Something to read ``content`` from that needs nobody to write it meanwhile."""
    if not content:
        yield subprocess.DEVNULL
        return
    with _open_memory_file() as file:
        file.write(content)
        file.seek(0)
        yield file


def _open_memory_file() -> IO[bytes]:
    """A nameless file, in memory where the system has such; not inherited by children."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("loreley"), "w+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def _size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


def _read_content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _check_size(argv: Sequence[str], *files: IO[bytes]) -> None:
    if any(_size(file) > CAPTURE_LIMIT_BYTES for file in files):
        raise CommandFailed(
            f"{argv[0]!r} printed too much",
            target=" ".join(argv)[:500],
            reason=f"more than {CAPTURE_LIMIT_BYTES // 2**20} MiB",
        )
