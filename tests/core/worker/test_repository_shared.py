"""Several worker processes of one host on one base clone."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.worker.upstream import Upstream, git, leftovers, opened, soon
from tests.support import PROJECT_ROOT

PROCESSES, LEASES = 4, 50
WORKER = """
import random, sys
from pathlib import Path
from loreley.core.worker.repository import RepositoryOptions, WorkerRepository
from loreley.host.deadline import Deadline

remote, base, number, leases, *commits = sys.argv[1:]
chance = random.Random(int(number))
repository = WorkerRepository(RepositoryOptions(remote, Path(base)))
repository.prepare(Deadline.after(300))
for lease in range(int(leases)):
    deadline = Deadline.after(60)
    with repository.lease(chance.choice(commits), f"job-{number}-{lease}", deadline) as worktree:
        text = f"{number} {lease}"
        (worktree.path / "mine").write_text(text)
        if chance.random() < 0.1:
            (worktree.path / ".git").unlink()
            continue
        candidate = worktree.commit_all("x", "", deadline)
        assert worktree.read(candidate.commit, "mine") == text.encode()
        if lease % 10 == 0:
            worktree.push(f"evolution/job/{number}-{lease}", deadline)
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_many_leases_of_many_processes_all_succeed(tmp_path: Path) -> None:
    upstream = Upstream.create(tmp_path / "upstream")
    commits = [
        upstream.commit({"src/pack.py": f"{number}\n"}, branch=f"evolution/job/other-{number}")
        for number in range(20)
    ]
    workers = [
        subprocess.Popen(
            [
                *(sys.executable, "-c", WORKER, str(upstream.path), str(tmp_path / "base")),
                *(str(number), str(LEASES), *commits),
            ],
            cwd=PROJECT_ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    ends = [(worker.communicate()[1], worker.returncode) for worker in workers]

    assert ends == [("", 0)] * PROCESSES
    repository = opened(upstream, tmp_path / "base")
    assert leftovers(repository) == []
    assert len(list((repository.worktrees / ".slots").glob("*.owner"))) <= PROCESSES
    assert git("fsck", "--no-dangling", cwd=repository.base) == ""


@pytest.mark.slow
def test_a_clone_is_made_once_by_workers_that_start_together(tmp_path: Path) -> None:
    upstream = Upstream.create(tmp_path / "upstream")
    workers = [
        subprocess.Popen(
            [
                *(sys.executable, "-c", WORKER, str(upstream.path), str(tmp_path / "base")),
                *(str(number), "1", upstream.head()),
            ],
            cwd=PROJECT_ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]

    assert [(worker.communicate()[1], worker.returncode) for worker in workers] == [("", 0)] * 3
    with opened(upstream, tmp_path / "base").lease(upstream.head(), "job-1", soon()):
        pass
