"""Processes that outlived their job are told from those of a worker at work."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loreley.ops.doctor.strays import find_strays
from tests.support import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")


@contextmanager
def running(*argv: str, **environment: str) -> Iterator[int]:
    with subprocess.Popen(argv, env=environment, stdin=subprocess.PIPE) as process:
        yield process.pid
        process.kill()


def test_an_evaluator_without_a_worker_is_a_stray(tmp_path: Path) -> None:
    base = tmp_path / "base"
    scratch = f"{base}-worktrees/.scratch/0123-1"
    with running("/bin/sleep", "60", LORELEY_SCRATCH=scratch) as pid:
        eventually(lambda: [stray.pid for stray in find_strays(base)] == [pid])
        assert f"process {pid}: /bin/sleep 60" in str(find_strays(base)[0])
        assert find_strays(tmp_path / "other") == []


def test_a_git_without_a_worker_is_a_stray(tmp_path: Path) -> None:
    base = tmp_path / "base"
    with running("/bin/sh", "-c", "sleep 60", "git", f"--git-dir={base}/.git") as pid:
        eventually(lambda: pid in [stray.pid for stray in find_strays(base)])


def test_what_a_worker_looks_after_is_none(tmp_path: Path) -> None:
    base = tmp_path / "base"
    worker = tmp_path / "run_worker.py"
    worker.write_text(
        "import subprocess, sys\n"
        "child = subprocess.Popen(['/bin/sleep', '60'], env={'LORELEY_SCRATCH': sys.argv[1]})\n"
        "print(child.pid, flush=True)\n"
        "sys.stdin.read()\n"
        "child.kill()\n"
    )
    with subprocess.Popen(
        [sys.executable, str(worker), f"{base}-worktrees/.scratch/0123-1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        assert find_strays(base) == []


def test_a_process_of_nobody_s_is_none(tmp_path: Path) -> None:
    with running("/bin/sleep", "60"):
        assert find_strays(tmp_path / "base") == []
