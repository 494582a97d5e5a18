"""What crashed workers leave is seen, and what live ones use is not taken for it."""

import os
from pathlib import Path

import pytest

from loreley.core.worktrees.leftovers import find_leftovers
from tests.core.worker.upstream import Upstream, opened, soon


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream.create(tmp_path / "upstream")


def test_nothing_of_a_live_worker_is_left_over(upstream: Upstream, tmp_path: Path) -> None:
    repository = opened(upstream, tmp_path / "base")
    random = opened(upstream, tmp_path / "base", randomize=True)

    assert find_leftovers(repository.base) == []
    with repository.lease(upstream.head(), "job-1", soon()):
        assert find_leftovers(repository.base) == []
    assert find_leftovers(repository.base) == []
    random.close()
    repository.close()


def test_a_folder_without_a_clone_has_no_leftovers(tmp_path: Path) -> None:
    assert find_leftovers(tmp_path / "nothing") == []


@pytest.mark.parametrize(
    "name",
    [
        "base-worktrees/0123-1/file",
        "base-worktrees/.scratch/0123-1/file",
        "base-worktrees/.trash/0123-1/file",
        "base-worktrees/.slots/slot-0badcafe/file",
        "base/.git/worktrees/slot-0badcafe/HEAD",
        "base/.cloning/abcd/config",
        "base/.git/refs/remotes/origin/main.lock",
        "base/.git/objects/maintenance.lock",
        "base-0a1b-worktrees/.owner",
    ],
)
def test_what_a_crash_leaves_is_seen(upstream: Upstream, tmp_path: Path, name: str) -> None:
    repository = opened(upstream, tmp_path / "base")
    with repository.lease(upstream.head(), "job-1", soon()):
        pass
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    os.utime(path, (0, 0))

    found = find_leftovers(repository.base)

    assert found
    assert all(path.is_relative_to(one) or "base-0a1b" in str(one) for one in found)


def test_a_slot_whose_owner_is_gone_is_seen(upstream: Upstream, tmp_path: Path) -> None:
    repository = opened(upstream, tmp_path / "base")
    with repository.lease(upstream.head(), "job-1", soon()):
        pass
    [owner] = (repository.worktrees / ".slots").glob("*.owner")
    owner.write_text("job-1")

    assert owner in find_leftovers(repository.base)


def test_a_lock_that_git_has_just_taken_is_none(upstream: Upstream, tmp_path: Path) -> None:
    repository = opened(upstream, tmp_path / "base")
    (repository.base / ".git" / "packed-refs.lock").touch()

    assert find_leftovers(repository.base) == []
