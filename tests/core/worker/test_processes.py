"""How many processes a worker starts for a job: no noise moves the number."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loreley.core.worker.repository import WorkerRepository
from loreley.core.worktrees import worktree as worktree_module
from loreley.host import children, conversation
from tests.core.worker.upstream import Upstream, contents, opened, soon

_GIT_PROCESSES = 7  # read-tree twice, ls-files twice, update-index, write-tree, commit-tree


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

    # What a thread that an earlier test has left behind starts is not the job's.
    commands = [" ".join(argv) for argv in started if str(tmp_path) in " ".join(argv)]
    pushes = [command for command in commands if " push " in command]
    assert len(pushes) == 1
    assert len(commands) - len(pushes) <= _GIT_PROCESSES, "\n".join(commands)
    repository.close()


@pytest.mark.parametrize(
    "plant",
    [
        lambda path: (path / "src" / "left.py").write_text("left = 1\n"),
        lambda path: (path / "left").mkdir(),
        lambda path: (path / "src" / "left").symlink_to("pack.py"),
        lambda path: (path / "__pycache__").mkdir(),
    ],
    ids=["file", "folder", "link", "ignored"],
)
def test_what_was_added_is_cleaned_by_git(
    upstream: Upstream, tmp_path: Path, started: list[list[str]], plant: Callable[[Path], object]
) -> None:
    repository = opened(upstream, tmp_path / "base")
    with repository.lease(upstream.head(), "one", soon()) as worktree:
        before = contents(worktree.path)
        plant(worktree.path)
    started.clear()

    with repository.lease(upstream.head(), "two", soon()) as worktree:
        assert contents(worktree.path) == before
    cleaned = [argv for argv in started if "clean" in argv]
    assert len(cleaned) == 1
    repository.close()


def test_nothing_is_cleaned_that_git_checks_out_by_itself(
    upstream: Upstream, tmp_path: Path, started: list[list[str]]
) -> None:
    root = upstream.head()
    fuller = upstream.commit({"new/deep/file.py": "x = 1\n"}, branch="fuller")
    repository = opened(upstream, tmp_path / "base")
    seen = []
    for number, commit in enumerate((root, fuller, root, fuller)):
        with repository.lease(commit, f"job-{number}", soon()) as worktree:
            seen.append(contents(worktree.path))
            (worktree.path / "README.md").unlink()
            (worktree.path / "src" / "pack.py").write_text("changed = True\n")
            if number == 2:  # it is in the way of a file of the next one
                (worktree.path / "new").write_text("a file\n")
        started[:] = started if number else []

    assert (seen[0], seen[1]) == (seen[2], seen[3])
    assert len([argv for argv in started if "clean" in argv]) == 1
    repository.close()


def test_few_pushes_to_a_folder_tidy_it(
    upstream: Upstream, tmp_path: Path, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = opened(upstream, tmp_path / "base")
    packed = upstream.path / "packed-refs"
    monkeypatch.setattr(worktree_module, "random", lambda: 0.5)
    do_job(repository, upstream, 1)
    [push] = [argv for argv in started if "push" in argv]
    assert any("receive.autogc=false" in word for word in push)
    assert not packed.exists() or "evolution" not in packed.read_text()

    started.clear()
    monkeypatch.setattr(worktree_module, "random", lambda: 0.0)
    do_job(repository, upstream, 2)

    [push] = [argv for argv in started if "push" in argv]
    assert not any("receive.autogc" in word for word in push)
    assert packed.read_text().count("refs/heads/evolution/job/") == 2
    repository.close()
