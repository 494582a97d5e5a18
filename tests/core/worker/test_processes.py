"""How many processes a worker starts for a job: no noise moves the number."""

from pathlib import Path
from typing import Any

import pytest

from loreley.core.worker.repository import WorkerRepository
from loreley.host import children, conversation
from tests.core.worker.upstream import Upstream, opened, soon

_GIT_PROCESSES = 9  # clean twice, read-tree twice, ls-files twice, update-index, write-tree, …


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The command lines of all children from now on."""
    found: list[list[str]] = []
    start = children.start_tree

    def note(argv: list[str], *rest: Any) -> Any:
        found.append(list(argv))
        return start(argv, *rest)

    monkeypatch.setattr(children, "start_tree", note)
    monkeypatch.setattr(conversation, "start_tree", note)
    return found


def do_job(repository: WorkerRepository, upstream: Upstream, number: int) -> None:
    """What a job asks of its repository from the claim to the push."""
    root = upstream.head()
    with repository.lease(root, f"job-{number}", soon()) as worktree:
        path = worktree.tracked_files()[0]
        worktree.read(root, path)
        (worktree.path / "new.py").write_text(f"x = {number}\n")
        candidate = worktree.commit_all("Add x", "", soon())
        worktree.differences()
        worktree.patch(10_000)
        worktree.measure(root)
        list(worktree.contents(worktree.blobs_since(root).added))
        worktree.push(f"evolution/job/{candidate.commit[:8]}", soon())


def test_a_job_asks_git_by_few_processes(
    upstream: Upstream, tmp_path: Path, started: list[list[str]]
) -> None:
    repository = opened(upstream, tmp_path / "base")
    do_job(repository, upstream, 1)
    started.clear()

    do_job(repository, upstream, 2)

    commands = [" ".join(argv) for argv in started]
    pushes = [command for command in commands if " push " in command]
    assert len(pushes) == 1
    assert len(commands) - len(pushes) <= _GIT_PROCESSES, commands
    repository.close()
