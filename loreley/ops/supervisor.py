"""A scheduler and workers as children of this process: started, watched, restarted, stopped."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loreley.errors import LoreleyError
from loreley.host.daemons import spawn
from loreley.host.signals import StopSignals
from loreley.logs import tail_of
from loreley.ops.messages import say
from loreley.ops.replace_process import child_environment

_QUICK_SECONDS = 10.0  # a process that ends sooner never worked
_MAX_QUICK_ENDS = 3
_FAILURE = re.compile(r"^error: .*(?:\n(?:error: |  ).*)*", re.MULTILINE)  # of several problems
_LARGEST_OUTPUT_BYTES = 10 * 2**20  # as large as a log file becomes


class ChildFailed(LoreleyError):
    """A process cannot work; what it said itself comes first."""

    def __init__(self, name: str, exit_code: int, output: Path) -> None:
        super().__init__(
            f"the {name} ended with exit code {exit_code}",
            target=str(output),
            fix="mend what it says, then start again: what is done is kept",
        )
        self._complaint = _read_complaint(output)

    @property
    def in_short(self) -> str:
        """That it ended, and the first line of what it said."""
        first = self._complaint.partition("\n")[0].removeprefix("error: ")
        return ": ".join(filter(None, (self.problems[0].what, first)))

    def __str__(self) -> str:
        return "\n".join(filter(None, (self._complaint, super().__str__())))


@dataclass(slots=True)
class _Child:
    """One process, through its restarts."""

    name: str
    command: Sequence[str]
    output: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    quick_ends: int = 0
    restarts: int = 0


class Supervisor:
    """Processes that share one fate: they end when the scheduler is done, or with this one."""

    def __init__(self, *, scripts: Path, workers: int, max_jobs: int, output: Path) -> None:
        def script(name: str, *arguments: str) -> list[str]:
            return [sys.executable, str(scripts / name), *arguments]

        output.mkdir(parents=True, exist_ok=True)
        self._scheduler = _Child(
            "scheduler",
            script("run_scheduler.py", "--max-jobs", str(max_jobs)),
            output / "scheduler.err",
        )
        self._workers = [
            _Child(f"worker {number}", script("run_worker.py"), output / f"worker-{number}.err")
            for number in range(1, workers + 1)
        ]

    @property
    def restarts(self) -> int:
        """How many processes have been replaced because they died."""
        return sum(child.restarts for child in self._children)

    @property
    def has_workers(self) -> bool:
        """Whether a worker is left."""
        return bool(self._workers)

    def start(self) -> None:
        """Start every process."""
        for child in self._children:
            child.output.write_bytes(b"")
            self._start(child)

    def watch(self) -> bool:
        """Replace what has died; False when the scheduler has ended as it should, or all workers.

        A worker that cannot work, or ended as it was asked, is left out. Raises `ChildFailed` when
        the last one cannot work, and when the scheduler cannot.
        """
        for child in self._children:
            assert child.process is not None
            _empty_when_large(child.output)
            code = child.process.poll()
            if code is None:
                continue
            if child is self._scheduler and code == 0:
                return False
            if code == 0:
                self._remove(child)
                say(f"evolve: {child.name} has ended, as it was asked")
                if not self._workers:
                    return False
            else:
                self._replace(child, code)
        return True

    def stop(self, signals: StopSignals, *, grace_seconds: float) -> None:
        """Ask every process to stop and wait; a second request interrupts their jobs."""
        self._signal(signal.SIGTERM)
        end = time.monotonic() + grace_seconds + 10.0
        interrupted = False
        while self._alive and time.monotonic() < end:
            if signals.wait(0.05, until_count=2) and not interrupted:
                interrupted = True
                self._signal(signal.SIGTERM)
                end = min(end, time.monotonic() + 5.0)
            if interrupted:
                time.sleep(0.05)
        self._signal(signal.SIGKILL)
        for child in self._children:
            if child.process is not None:
                child.process.wait()

    @property
    def _children(self) -> list[_Child]:
        return [self._scheduler, *self._workers]

    @property
    def _alive(self) -> list[subprocess.Popen[bytes]]:
        return [
            child.process
            for child in self._children
            if child.process is not None and child.process.poll() is None
        ]

    def _start(self, child: _Child) -> None:
        with child.output.open("ab") as output:
            child.process = spawn(
                child.command,
                env=child_environment(),
                cwd=Path.cwd(),
                output=output.fileno(),
                die_with_parent=True,
            )
        child.started_at = time.monotonic()

    def _replace(self, child: _Child, code: int) -> None:
        quick = time.monotonic() - child.started_at < _QUICK_SECONDS
        child.quick_ends = child.quick_ends + 1 if quick else 0
        # Exit codes 1 and 2 are messages for the operator: a restart would only repeat them.
        if code in (1, 2) or child.quick_ends >= _MAX_QUICK_ENDS:
            self._leave_out(child, ChildFailed(child.name, code, child.output))
            return
        child.restarts += 1
        self._start(child)

    def _leave_out(self, child: _Child, failure: ChildFailed) -> None:
        """Go on without a worker; raises its failure where nothing can go on."""
        others = [worker for worker in self._workers if worker is not child]
        if child is self._scheduler or not others:
            raise failure
        self._remove(child)
        left = f"{len(others)} worker{'s are' if len(others) > 1 else ' is'} left"
        say(f"evolve: {failure.in_short}; {left}, see {child.output}")

    def _remove(self, child: _Child) -> None:
        self._workers = [worker for worker in self._workers if worker is not child]

    def _signal(self, number: signal.Signals) -> None:
        for process in self._alive:
            process.send_signal(number)


def _empty_when_large(output: Path) -> None:
    """Drop what a process has printed when it is much: its log file has the same."""
    with suppress(FileNotFoundError):  # somebody removed it
        if output.stat().st_size > _LARGEST_OUTPUT_BYTES:
            os.truncate(output, 0)  # it is written to at its end, wherever that is


def _read_complaint(output: Path) -> str:
    """What a process said last on stderr, from the last failure that it told if there is one."""
    text = tail_of(output)
    told = [match.start() for match in _FAILURE.finditer(text)]
    return text[told[-1] if told else 0 :].strip()
