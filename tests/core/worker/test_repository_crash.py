"""A worker killed at any moment leaves nothing that the next one does not put right."""

import os
import signal
import subprocess
import time
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest

from loreley.core.worker.repository import WorkerRepository
from tests.core.worker.upstream import Upstream, contents, git, leftovers, opened, soon
from tests.support import eventually, python_process

JOB = """
import sys
from pathlib import Path
from loreley.core.worker.repository import RepositoryOptions, WorkerRepository
from loreley.host.deadline import Deadline

remote, base, commit, git_bin, step, randomize = sys.argv[1:]
deadline = Deadline.after(120)
options = RepositoryOptions(remote, Path(base), git_bin=git_bin, randomize=randomize == "yes")
repository = WorkerRepository(options)
repository.prepare(deadline)
with repository.lease(commit, "job-1", deadline) as worktree:
    (worktree.path / "src/pack.py").write_text("better\\n")
    (worktree.path / "cache").mkdir()
    (worktree.scratch / "x").write_text("x")
    if step == "hold":
        print("leased", flush=True)
        sys.stdin.read()
    worktree.commit_all("x", "", deadline)
    worktree.push("evolution/job/job-1", deadline)
"""


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream.create(tmp_path / "upstream")


def worker(
    upstream: Upstream,
    base: Path,
    *,
    git_bin: str = "git",
    step: str = "run",
    randomize: str = "no",
) -> AbstractContextManager[subprocess.Popen[str]]:
    """A process that does one job; killed at the latest when the block ends."""
    return python_process(JOB, upstream.path, base, upstream.head(), git_bin, step, randomize)


class HaltingGit:
    """A git that comes to a halt at its nth call, before or after doing what it is asked."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._count, self._pid = folder / "count", folder / "pid"
        self.path = folder / "git"

    def halt_at(self, call: int, *, after: bool) -> None:
        self._count.write_text("0\n")
        self._pid.unlink(missing_ok=True)
        run = 'git "$@"; ' if after else ""
        self.path.write_text(
            "#!/bin/sh\n"
            f"read n < {self._count}; n=$((n+1)); echo $n > {self._count}\n"
            f"if [ $n = {call} ]; then {run}echo $$ > {self._pid}; exec sleep 600; fi\n"
            'exec git "$@"\n'
        )
        self.path.chmod(0o755)

    def has_halted(self) -> bool:
        return self._pid.exists() and bool(self._pid.read_text().strip())

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(int(self._pid.read_text()), signal.SIGKILL)


def require_whole(repository: WorkerRepository, upstream: Upstream) -> None:
    """The repository works, and nothing of the crash is left."""
    with repository.lease(upstream.head(), "job-2", soon()) as worktree:
        assert (worktree.path / "src/pack.py").read_text().startswith("radius")
        assert "cache" not in contents(worktree.path)
        assert git("status", "--porcelain", cwd=worktree.path) == ""
    assert leftovers(repository) == []
    assert [path.name for path in repository.base.iterdir()] == [".git"]
    assert git("fsck", "--no-dangling", cwd=repository.base) == ""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("after", [False, True])
def test_a_worker_killed_at_any_call_of_git_leaves_nothing(
    upstream: Upstream, tmp_path: Path, after: bool
) -> None:
    halting = HaltingGit(tmp_path / "bin")
    call, is_over = 1, False
    while not is_over:
        halting.halt_at(call, after=after)
        base = tmp_path / f"base-{call}"
        with worker(upstream, base, git_bin=str(halting.path)) as process:
            eventually(lambda: halting.has_halted() or process.poll() is not None, within=60)
            is_over = process.poll() is not None
            assert not is_over or process.returncode == 0
            process.send_signal(signal.SIGKILL)
            process.wait()
            if not is_over:
                halting.kill()
        require_whole(opened(upstream, base), upstream)
        call += 1
    assert call > 8, "the job calls git more often than that"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_worker_killed_at_any_time_leaves_nothing(upstream: Upstream, tmp_path: Path) -> None:
    base = tmp_path / "base"
    with worker(upstream, base) as process:
        began = time.monotonic()
        process.wait(60)
        whole_seconds = time.monotonic() - began
    for step in range(20):
        with worker(upstream, base) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(whole_seconds * (0.4 + 0.6 * step / 20))
            process.send_signal(signal.SIGKILL)
            process.wait()
    require_whole(opened(upstream, base), upstream)


@pytest.mark.slow
def test_a_live_worker_s_lease_is_left_alone_and_a_dead_one_s_removed(
    upstream: Upstream, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    with worker(upstream, base, step="hold") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "leased\n"
        repository = opened(upstream, base)
        with repository.lease(upstream.head(), "job-2", soon()):
            assert (repository.worktrees / "job-1/src/pack.py").read_text() == "better\n"
        process.kill()
        process.wait()

        with repository.lease(upstream.head(), "job-3", soon()):
            assert not (repository.worktrees / "job-1").exists()
    require_whole(repository, upstream)


@pytest.mark.slow
def test_the_name_of_a_dead_worker_s_lease_is_free_again(
    upstream: Upstream, tmp_path: Path
) -> None:
    with worker(upstream, tmp_path / "base", step="hold") as process:
        assert process.stdout is not None
        process.stdout.readline()
    repository = opened(upstream, tmp_path / "base")

    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        assert (worktree.path / "src/pack.py").read_text().startswith("radius")


def test_locks_of_a_dead_git_do_not_stop_a_worker(upstream: Upstream, tmp_path: Path) -> None:
    repository = opened(upstream, tmp_path / "base", fetch_depth=1)
    upstream.commit({"a": "1"})
    common = repository.base / ".git"
    for name in ("shallow.lock", "packed-refs.lock", "refs/remotes/origin/main.lock"):
        (common / name).write_text("")
        os.utime(common / name, (0, 0))

    require_whole(opened(upstream, tmp_path / "base", fetch_depth=1), upstream)


def test_what_a_dead_git_was_packing_or_receiving_is_removed(
    upstream: Upstream, tmp_path: Path
) -> None:
    objects = opened(upstream, tmp_path / "base").base / ".git" / "objects"
    (objects / "pack").mkdir(exist_ok=True)
    dead = [
        objects / name
        for name in ("maintenance.lock", "pack/multi-pack-index.lock", "pack/tmp_pack_0badca")
    ]
    live = objects / "pack" / "tmp_pack_1ecafe"
    for path in (*dead, live):
        path.write_text("")
    for path in dead:
        os.utime(path, (0, 0))

    repository = opened(upstream, tmp_path / "base")

    assert [path for path in (*dead, live) if path.exists()] == [live]
    live.unlink()
    require_whole(repository, upstream)


def test_what_a_crash_within_worktree_add_leaves_is_removed(
    upstream: Upstream, tmp_path: Path
) -> None:
    repository = opened(upstream, tmp_path / "base")
    admin = repository.base / ".git" / "worktrees" / "slot-0badcafe"
    admin.mkdir(parents=True)
    (admin / "locked").write_text("initializing\n")
    (repository.worktrees / ".slots" / "slot-0badcafe").mkdir(parents=True)

    require_whole(repository, upstream)
    assert not admin.exists()


@pytest.mark.slow
def test_a_randomised_clone_of_a_dead_worker_is_removed_by_the_next(
    upstream: Upstream, tmp_path: Path
) -> None:
    family = tmp_path / "c" / "base"
    (tmp_path / "c" / "base-0123abcd").mkdir(parents=True)  # not ours
    with worker(upstream, family, step="hold", randomize="yes") as process:
        assert process.stdout is not None
        process.stdout.readline()
        other = opened(upstream, family, randomize=True)
        assert len(list(family.parent.glob("base-*-worktrees"))) == 2
        process.kill()
        process.wait()

        last = opened(upstream, family, randomize=True)
    names = {path.name for path in family.parent.iterdir()}
    assert names == {
        *(".base.lock", "base-0123abcd"),
        *(repository.base.name for repository in (other, last)),
        *(repository.worktrees.name for repository in (other, last)),
    }
    for repository in (other, last):
        repository.close()
