"""What is dropped from the base clone when nothing refers to it."""

import os
import time
from pathlib import Path

import pytest

from loreley.core.worker.repository import WorkerRepository
from tests.core.worker.upstream import (
    Upstream,
    git,
    opened,
    soon,
)


def age(folder: Path, days: float) -> None:
    then = time.time() - days * 86_400
    for path in (folder / ".git").rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))


def lost_commit(repository: WorkerRepository, subject: str = "lost") -> str:
    """A commit that nothing refers to, as one of a refused candidate."""
    who = {
        f"GIT_{role}_{part}": "a@b"
        for role in ("AUTHOR", "COMMITTER")
        for part in ("NAME", "EMAIL")
    }
    return git("commit-tree", "HEAD^{tree}", "-m", subject, cwd=repository.base, **who)


def is_here(commit: str, repository: WorkerRepository) -> bool:
    return commit in git("cat-file", "--batch-all-objects", "--batch-check", cwd=repository.base)


@pytest.mark.parametrize("packed", [False, True])
def test_old_objects_that_nothing_refers_to_are_dropped(
    packed: bool, upstream: Upstream, repository: WorkerRepository
) -> None:
    old = lost_commit(repository)
    if packed:
        git("maintenance", "run", "--task=loose-objects", cwd=repository.base)
    age(repository.base, days=15)
    new = upstream.commit({"new": "1"})

    with repository.lease(upstream.head(), "job", soon()):
        assert not is_here(old, repository)
        assert is_here(new, repository)


def test_young_objects_and_those_of_a_running_job_stay(
    upstream: Upstream, repository: WorkerRepository
) -> None:
    with repository.lease(upstream.head(), "job", soon()):
        inspiration = lost_commit(repository)
        age(repository.base, days=15)
        with repository.lease(upstream.head(), "other", soon()):
            assert is_here(inspiration, repository)
    young = lost_commit(repository, "young")

    with repository.lease(upstream.head(), "job", soon()):
        assert not is_here(inspiration, repository)
        assert is_here(young, repository)
    git("fsck", cwd=repository.base)


def test_a_commit_on_which_a_spare_worktree_stands_stays(
    upstream: Upstream, repository: WorkerRepository
) -> None:
    base = lost_commit(repository)
    with repository.lease(base, "job", soon()):
        pass
    age(repository.base, days=15)

    with repository.lease(upstream.head(), "job", soon()):
        assert is_here(base, repository)


def test_a_clone_that_a_person_made_keeps_what_nothing_refers_to(
    upstream: Upstream, tmp_path: Path
) -> None:
    git("clone", "--quiet", str(upstream.path), str(tmp_path / "base"), cwd=tmp_path)
    repository = opened(upstream, tmp_path / "base")
    lost = lost_commit(repository)
    age(repository.base, days=15)

    with repository.lease(upstream.head(), "job", soon()):
        assert is_here(lost, repository)


def test_a_collection_that_fails_costs_no_job_and_is_not_tried_at_once_again(
    upstream: Upstream, repository: WorkerRepository
) -> None:
    lost = lost_commit(repository)
    age(repository.base, days=15)
    broken = repository.base / ".git" / "refs" / "heads" / "broken"
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text(f"{'1' * 40}\n")  # git gc refuses what is corrupt

    for _ in range(2):
        with repository.lease(upstream.head(), "job", soon()):
            assert is_here(lost, repository)
        broken.unlink(missing_ok=True)
