"""The whole system as an operator runs it: real scripts as processes, real services."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from loreley.config import Settings
from loreley.core.jobs import FINAL_STATES, JobState
from loreley.db.engine import Database, open_database
from loreley.db.models import jobs
from loreley.host.failpoints import VARIABLE, Failpoint
from loreley.ops.doctor.findings import Verdict, as_text, examine
from loreley.ops.doctor.invariants import run_checks
from loreley.views.invariants import overdue_jobs
from tests.support import PROJECT_ROOT, eventually

EVALUATOR = '''
"""Scores the number in number.py, as slowly as it is told to."""

import os
import runpy
import time


def evaluate(context):
    open("begun", "w").close()
    while os.path.exists("GATE"):
        time.sleep(0.02)
    value = runpy.run_path(str(context.worktree / "number.py"))["NUMBER"]
    return {
        "summary": f"the number is {value}",
        "metrics": [
            {"name": "score", "value": -abs(value - 100.0)},
            {"name": "number", "value": value},
        ],
    }
'''


BUSY_SECONDS = 5.0  # beside a promised time, on a machine that has much else to do
PATIENCE_SECONDS = 150.0  # for what takes moments where nothing else runs

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass
class Hold:
    """A point at which one process of the stack is to wait."""

    folder: Path
    point: Failpoint
    _earlier: set[Path] = field(default_factory=set)  # of processes that were held and killed

    def __post_init__(self) -> None:
        self._earlier |= self._held()
        (self.folder / self.point).touch()

    def pid(self, *, within: float = PATIENCE_SECONDS) -> int:
        """Wait until a process is held; its id."""
        eventually(lambda: self._held() - self._earlier, within=within)
        [held] = self._held() - self._earlier
        return int(held.suffix[1:])

    def release(self) -> None:
        """Let it go on, and hold no other."""
        for path in self.folder.glob(f"{self.point}*"):
            path.unlink()

    def _held(self) -> set[Path]:
        return set(self.folder.glob(f"{self.point}.*"))


@dataclass
class Process:
    """A script that runs, with what it says on stderr in a file."""

    popen: subprocess.Popen[bytes]
    stderr: Path

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.popen.poll() is None

    def kill(self) -> None:
        """End it as a crash does."""
        self.popen.kill()
        self.popen.wait()

    @property
    def said(self) -> str:
        """Everything it has said so far."""
        return self.stderr.read_text(errors="replace")

    def wait_for(self, words: str, *, within: float = PATIENCE_SECONDS, times: int = 1) -> None:
        """Wait until it has said these words; fail when it ends before or takes too long."""
        eventually(
            lambda: self.said.count(words) >= times or self.popen.poll() is not None, within=within
        )
        assert self.said.count(words) >= times, self.said

    def stop(self, number: signal.Signals = signal.SIGTERM, *, within: float = 30) -> int:
        """Send a signal and wait for the end; its exit code."""
        self.popen.send_signal(number)
        return self.popen.wait(timeout=within)


@dataclass
class Stack:
    """One experiment: a remote, an evaluator, settings, and the processes started for it."""

    folder: Path
    redis_url: str
    database_url: str
    settings: dict[str, str] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)
    from_env_file: set[str] = field(default_factory=set)  # names that .env says instead

    @property
    def remote(self) -> Path:
        """The bare repository that evolves."""
        return self.folder / "remote.git"

    @property
    def base_clone(self) -> Path:
        """The worker's base clone."""
        return Path(self.settings.get("WORKER_REPO_WORKTREE", self.folder / "worker-repo"))

    @property
    def worktrees(self) -> Path:
        """Where the worktrees of jobs are."""
        return self.base_clone.with_name("worker-repo-worktrees")

    @property
    def gate(self) -> Path:
        """While this file is there, evaluations do not end."""
        return self.folder / "gate" / ".gate" / "closed"  # what a dot hides is not the evaluator's

    def wait_for_evaluation(self, *, within: float = PATIENCE_SECONDS) -> None:
        """Wait until an evaluator is at work."""
        eventually(lambda: list(self.worktrees.glob(".scratch/*/*/begun")), within=within)

    def environment(self) -> dict[str, str]:
        """What the scripts are started with."""
        given = {
            VARIABLE: str(self.folder / "holds"),
            "TMPDIR": str(self.folder / "tmp"),
            "WORKER_EVALUATOR_READ_PATHS": str(self.folder / "gate"),
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "TASKS_REDIS_URL": self.redis_url,
            "DATABASE_URL": self.database_url,
            "LORELEY_STATE_DIR": str(self.folder / "state"),
            "LOGS_BASE_DIR": str(self.folder),
            "WORKER_REPO_REMOTE_URL": str(self.remote),
            "WORKER_REPO_WORKTREE": str(self.base_clone),
            "WORKER_EVALUATOR_PLUGIN": "judge:evaluate",
            "WORKER_EVALUATOR_PYTHON_PATHS": str(self.folder / "evaluator"),
            "MAPELITES_FITNESS_METRIC": "score",
            "MAPELITES_MEASURES": "number:-1000:1000:50",
            "SCHEDULER_POLL_INTERVAL_SECONDS": "0.1",
            "WORKER_TUNE_SECONDS": "0",
        } | self.settings
        return {name: value for name, value in given.items() if name not in self.from_env_file}

    def start_worker(self, *arguments: str, **settings: str) -> Process:
        """Start script/run_worker.py."""
        return self._start("run_worker.py", arguments, settings)

    def start_scheduler(self, *arguments: str, **settings: str) -> Process:
        """Start script/run_scheduler.py."""
        return self._start("run_scheduler.py", arguments, settings)

    def hold(self, point: Failpoint) -> Hold:
        """Hold the next process that comes to this point."""
        return Hold(self.folder / "holds", point)

    def process(self, pid: int) -> Process:
        """The one of this id."""
        return next(process for process in self.processes if process.popen.pid == pid)

    def overdue(self, database: Database, *, seconds: float) -> list[str]:
        """The jobs whose lease ended so long ago."""
        with database.read() as connection:
            return overdue_jobs(connection, slack_seconds=seconds)

    def require_whole(self, *, jobs_wanted: int | None = None, settle_seconds: float = 20) -> None:
        """Fail unless every invariant of a run holds, and so many jobs have ended."""
        given: dict[str, Any] = {
            name.lower(): value
            for name, value in self.environment().items()
            if name.lower() in Settings.model_fields
        }
        given.setdefault("worker_repo_remote_url", str(self.remote))
        settings = Settings(_env_file=None, **given)
        with self.database() as database:
            findings = examine(run_checks(settings, database), settle_seconds=settle_seconds)
            assert all(one.verdict is Verdict.GOOD for one in findings), as_text(findings)
            if jobs_wanted is not None:
                rows = self.jobs(database)
                ended = [
                    row for row in rows if row["state"] in FINAL_STATES and row["ordinal"] >= 0
                ]
                assert len(ended) == jobs_wanted, rows

    def jobs(self, database: Database) -> list[dict[str, Any]]:
        """Every job, by its number."""
        with database.read() as connection:
            rows = connection.execute(select(jobs).order_by(jobs.c.ordinal)).mappings()
            return [dict(row) for row in rows]

    def count(self, database: Database, state: JobState) -> int:
        """How many jobs are in a state."""
        return sum(row["state"] == state for row in self.jobs(database))

    @contextmanager
    def database(self) -> Iterator[Database]:
        """The experiment's database."""
        database = open_database(self.database_url)
        try:
            yield database
        finally:
            database.close()

    def close(self) -> None:
        """End every process that still runs."""
        for process in self.processes:
            if process.runs:
                process.kill()

    def _start(self, script: str, arguments: tuple[str, ...], settings: dict[str, str]) -> Process:
        stderr = self.folder / f"{len(self.processes)}-{script}.err"
        with stderr.open("wb") as output:
            popen = subprocess.Popen(
                [sys.executable, str(PROJECT_ROOT / "script" / script), *arguments],
                env=self.environment() | settings,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        process = Process(popen, stderr)
        self.processes.append(process)
        return process


def finished(scheduler: Process, *others: Process, within: float = PATIENCE_SECONDS) -> None:
    """Wait until the budget is spent."""
    code = scheduler.popen.wait(timeout=within)
    assert code == 0, "\n".join(process.said for process in (scheduler, *others))


def create_stack(folder: Path, redis_url: str, database_url: str) -> Stack:
    """A fresh experiment on a tiny repository in ``folder``."""
    stack = Stack(folder, redis_url, database_url)
    folder.mkdir(exist_ok=True)
    for name in ("evaluator", "gate", "holds", "tmp"):
        (folder / name).mkdir()
    stack.gate.parent.mkdir()
    (folder / "evaluator" / "judge.py").write_text(EVALUATOR.replace("GATE", str(stack.gate)))
    source = folder / "source"
    source.mkdir()
    (source / "number.py").write_text("NUMBER = 1.0\n")
    git = ["git", "-C", str(source)]
    for command in (
        [*git, "init", "-q", "-b", "main"],
        [*git, "add", "."],
        [*git, "commit", "-q", "-m", "Begin with one"],
        ["git", "clone", "-q", "--bare", str(source), str(stack.remote)],
    ):
        subprocess.run(command, check=True)
    return stack
