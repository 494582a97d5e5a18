"""The whole system as an operator runs it: real scripts as processes, real services."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from loreley.db.engine import Database, open_database
from tests.support import PROJECT_ROOT, eventually

EVALUATOR = '''
"""Scores the number in number.py; some numbers misbehave, as candidates do."""

import runpy


def evaluate(context):
    value = runpy.run_path(str(context.worktree / "number.py"))["NUMBER"]
    return {
        "summary": f"the number is {value}",
        "metrics": [
            {"name": "score", "value": -abs(value - 100.0)},
            {"name": "number", "value": value},
        ],
    }
'''


@dataclass
class Process:
    """A script that runs, with what it says on stderr in a file."""

    popen: subprocess.Popen[bytes]
    stderr: Path

    @property
    def said(self) -> str:
        """Everything it has said so far."""
        return self.stderr.read_text(errors="replace")

    def wait_for(self, words: str, *, within: float = 30) -> None:
        """Wait until it has said these words; fail when it ends before or takes too long."""
        eventually(lambda: words in self.said or self.popen.poll() is not None, within=within)
        assert words in self.said, self.said

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

    @property
    def remote(self) -> Path:
        """The bare repository that evolves."""
        return self.folder / "remote.git"

    @property
    def base_clone(self) -> Path:
        """The worker's base clone."""
        return self.folder / "worker-repo"

    @property
    def worktrees(self) -> Path:
        """Where the worktrees of jobs are."""
        return self.folder / "worker-repo-worktrees"

    def environment(self) -> dict[str, str]:
        """What the scripts are started with."""
        return {
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
        } | self.settings

    def start_worker(self, *arguments: str, **settings: str) -> Process:
        """Start script/run_worker.py."""
        return self._start("run_worker.py", arguments, settings)

    def start_scheduler(self, *arguments: str, **settings: str) -> Process:
        """Start script/run_scheduler.py."""
        return self._start("run_scheduler.py", arguments, settings)

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
            if process.popen.poll() is None:
                process.popen.kill()
                process.popen.wait()

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


def create_stack(folder: Path, redis_url: str, database_url: str) -> Stack:
    """A fresh experiment on a tiny repository in ``folder``."""
    stack = Stack(folder, redis_url, database_url)
    (folder / "evaluator").mkdir()
    (folder / "evaluator" / "judge.py").write_text(EVALUATOR)
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
