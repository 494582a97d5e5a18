import os
import stat
from pathlib import Path

import pytest

from loreley.core.worker.repository import WorkerRepository
from loreley.errors import (
    GitError,
    JobInterrupted,
    LoreleyError,
    TimeLimitReached,
)
from loreley.host.deadline import Deadline, Stop
from loreley.host.locks import hold_lock
from tests.core.worker.upstream import (
    Upstream,
    contents,
    git,
    leftovers,
    names_in,
    opened,
    slots_of,
    soon,
)


def test_a_lease_is_a_checkout_that_is_gone_afterwards(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        assert worktree.path == repository.worktrees / "job-1"
        assert contents(worktree.path).keys() == contents(upstream.author).keys() - {
            name for name in contents(upstream.author) if name.startswith(".git/")
        }
        assert git("rev-parse", "HEAD", cwd=worktree.path) == upstream.head()
        assert git("status", "--porcelain", cwd=worktree.path) == ""
        assert names_in(worktree.scratch) == []
        (worktree.scratch / "x").write_text("x")

    assert not worktree.path.exists()
    assert not worktree.scratch.exists()
    assert leftovers(repository) == []


def test_a_lease_ends_when_the_job_is_interrupted(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        repository.lease(upstream.head(), "job-1", soon()) as worktree,
    ):
        raise KeyboardInterrupt

    assert not worktree.path.exists()
    assert leftovers(repository) == []


def test_the_next_lease_reuses_the_worktree_of_the_last(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        inode = (worktree.path / "README.md").stat().st_ino
    new = upstream.commit({"src/pack.py": "radius = 2\n"})

    with repository.lease(new, "job-2", soon()) as worktree:
        assert (worktree.path / "README.md").stat().st_ino == inode
        assert (worktree.path / "src/pack.py").read_text() == "radius = 2\n"
        assert git("rev-parse", "HEAD", cwd=worktree.path) == new
        assert str(worktree.path) in git("worktree", "list", cwd=repository.base)
        assert git("status", "--porcelain", cwd=worktree.path) == ""


def test_leases_at_the_same_time_are_apart(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    first = upstream.head()
    second = upstream.commit({"src/pack.py": "radius = 2\n"})
    with (
        repository.lease(first, "job-1", soon()) as one,
        repository.lease(second, "job-2", soon()) as other,
    ):
        assert (one.path / "src/pack.py").read_text() == "radius = 1.0\ncount = 26\n"
        assert (other.path / "src/pack.py").read_text() == "radius = 2\n"
        assert len(slots_of(repository)) == 2

    with repository.lease(first, "job-3", soon()) as again:
        slot = (again.path / ".git").read_text()
    with repository.lease(second, "job-4", soon()) as again:
        assert (again.path / ".git").read_text() != slot, "the slot that held the commit is nearer"
    assert len(slots_of(repository)) == 2
    assert leftovers(repository) == []


def test_a_name_is_leased_once_at_a_time(repository: WorkerRepository, upstream: Upstream) -> None:
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        with (
            pytest.raises(LoreleyError, match="another process"),
            repository.lease(upstream.head(), "job-1", soon()),
        ):
            pass
        assert (worktree.path / "README.md").exists()


@pytest.mark.parametrize("name", ["", "../x", "A", ".slots", "-x", "a/b", "a" * 65, "a\n"])
def test_a_name_must_be_a_plain_part_of_a_path(
    repository: WorkerRepository, upstream: Upstream, name: str
) -> None:
    with pytest.raises(ValueError), repository.lease(upstream.head(), name, soon()):
        pass


def test_a_spare_slot_that_nobody_wants_is_deleted(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    with (
        repository.lease(upstream.head(), "job-1", soon()),
        repository.lease(upstream.head(), "job-2", soon()),
    ):
        pass
    idle = slots_of(repository)[0]
    os.utime(repository.worktrees / ".slots" / f"{idle}.owner", (0, 0))

    with repository.lease(upstream.head(), "job-3", soon()):
        assert idle not in slots_of(repository)
    assert leftovers(repository) == []


def test_a_deadline_ends_the_wait_for_others(
    repository: WorkerRepository, upstream: Upstream, tmp_path: Path
) -> None:
    stop = Stop()
    stop.ask(JobInterrupted("stopping"))
    with hold_lock(repository.worktrees / ".lock", soon()):
        with (
            pytest.raises(TimeLimitReached),
            repository.lease(upstream.head(), "job-1", Deadline.after(0.2)),
        ):
            pass
        with (
            pytest.raises(JobInterrupted),
            repository.lease(upstream.head(), "job-1", Deadline(stop=stop)),
        ):
            pass
    assert leftovers(repository) == []


def test_submodules_stay_empty_folders(tmp_path: Path) -> None:
    upstream = Upstream.create(tmp_path / "upstream")
    git(
        *("update-index", "--add", "--cacheinfo", f"160000,{upstream.head()},vendor/lib"),
        cwd=upstream.author,
    )
    git("commit", "-q", "-m", "add a submodule", cwd=upstream.author)
    git("push", "-q", "origin", "main", cwd=upstream.author)
    repository = opened(upstream, tmp_path / "base")

    for name in ("job-1", "job-2"):
        with repository.lease(upstream.head(), name, soon()) as worktree:
            assert names_in(worktree.path / "vendor" / "lib") == []
            (worktree.path / "vendor/lib/planted").write_text("x")
            (worktree.path / "src/pack.py").write_text("changed\n")
            with pytest.raises(LoreleyError, match="submodule"):
                worktree.commit_all("x", "", soon())
            (worktree.path / "vendor/lib/planted").unlink()
            candidate = worktree.commit_all("x", "", soon())
            assert "160000" in git("ls-tree", "-r", candidate.commit, cwd=repository.base)
    assert leftovers(repository) == []


@pytest.mark.parametrize("depth", [None, 1])
def test_a_commit_of_another_worker_is_fetched(
    upstream: Upstream, tmp_path: Path, depth: int | None
) -> None:
    repository = opened(upstream, tmp_path / "base", fetch_depth=depth)
    other = upstream.commit({"src/pack.py": "other\n"}, branch="evolution/job/other-1")

    with repository.lease(other, "job-1", soon()) as worktree:
        assert (worktree.path / "src/pack.py").read_text() == "other\n"


@pytest.mark.parametrize("by_id", [True, False])
def test_a_shallow_clone_reaches_back_when_it_must(
    upstream: Upstream, tmp_path: Path, by_id: bool
) -> None:
    first = upstream.head()
    for number in range(5):
        upstream.commit({"src/pack.py": f"{number}\n"})
    # The first protocol refuses ids that are no branch's head.
    inner = "2" if by_id else "0"
    Path(os.environ["HOME"], ".gitconfig").write_text(f"[protocol]\n\tversion = {inner}\n")
    repository = opened(upstream, tmp_path / "base", fetch_depth=1)
    assert git("rev-list", "--count", "HEAD", cwd=repository.base) == "1"

    with repository.lease(first, "job-1", soon()) as worktree:
        assert (worktree.path / "src/pack.py").read_text().startswith("radius")
        (worktree.path / "src/pack.py").write_text("better\n")
        candidate = worktree.commit_all("x", "", soon())
        worktree.push("evolution/job/job-1", soon())

    assert upstream.show(f"{candidate.commit}:src/pack.py") == "better"


def test_a_commit_that_is_nowhere_is_said_to_be(
    repository: WorkerRepository,
) -> None:
    with (
        pytest.raises(GitError, match="neither here nor on the remote"),
        repository.lease("1" * 40, "job-1", soon()),
    ):
        pass
    with (
        pytest.raises(GitError, match="not a full commit id"),
        repository.lease("--help", "job-1", soon()),
    ):
        pass
    assert leftovers(repository) == []


def test_the_owner_of_the_lock_files_is_the_user_alone(repository: WorkerRepository) -> None:
    assert stat.S_IMODE((repository.worktrees / ".lock").stat().st_mode) == 0o600


def test_a_worktree_tells_the_tree_of_what_stands_in_it(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        assert worktree.tree_as_it_is() == worktree.base().tree
        (worktree.path / "new.txt").write_text("1")
        tree = worktree.tree_as_it_is()

        assert worktree.commit_all("add a file", "", soon()).tree == tree
