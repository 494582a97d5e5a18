"""A candidate or agent that fills the disk of the worktrees (row 31)."""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from loreley.core.worker.repository import Worktree
from loreley.errors import Fault, GitError, LoreleyError
from tests.core.worker.upstream import Upstream, leftovers, opened, soon
from tests.system.faults import fill, small_filesystem


@pytest.mark.parametrize("place", ["worktree", "scratch", "cut short"])
def test_the_job_after_one_that_filled_the_disk_finds_room(place: str, tmp_path: Path) -> None:
    upstream = Upstream.create(tmp_path / "upstream")
    with small_filesystem(tmp_path / "small", "6m") as small:
        repository = opened(upstream, small / "base")
        with suppress(LoreleyError), repository.lease(upstream.head(), "job-1", soon()) as worktree:
            fill(worktree.scratch if place == "scratch" else worktree.path)
            if place == "cut short":
                cut_short(worktree)
        later = upstream.commit({"later.txt": "must be fetched\n" + os.urandom(50_000).hex()})

        with repository.lease(later, "job-2", soon()) as worktree:
            assert (worktree.path / "later.txt").exists()

        assert leftovers(repository) == []


def test_a_commit_that_finds_no_room_is_not_called_gone(tmp_path: Path) -> None:
    """Else the job is cancelled as one that the remote lacks."""
    upstream = Upstream.create(tmp_path / "upstream")
    with small_filesystem(tmp_path / "small", "6m") as small:
        repository = opened(upstream, small / "base")
        fill(small)
        later = upstream.commit({"later.txt": os.urandom(50_000).hex()})

        with (
            pytest.raises(GitError, match="No space left") as caught,
            repository.lease(later, "job-1", soon()),
        ):
            pass

    assert caught.value.fault is Fault.HOST
    assert "free some disk space" in str(caught.value)


def cut_short(worktree: Worktree) -> None:
    """Let the lease's end fail before it has emptied the trash, as a crash does."""
    trash = worktree.path.parent / ".trash"
    trash.mkdir(exist_ok=True)
    (worktree.path / "filler").rename(trash / "filler-1")
