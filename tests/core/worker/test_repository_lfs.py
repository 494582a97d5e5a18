import os
import shutil
import stat
from pathlib import Path

import pytest

from loreley.core.worker.repository import RepositoryOptions, WorkerRepository
from loreley.errors import CandidateRejected, ConfigError, Fault, GitError
from tests.core.worker.upstream import Upstream, git, leftovers, opened, soon

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed"),
]

LARGE = b"\0large" * 1000


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    """A remote whose ``*.bin`` files are in LFS."""
    upstream = Upstream.create(tmp_path / "upstream", {"README.md": "x\n"})
    git("lfs", "install", "--local", cwd=upstream.author)
    upstream.commit({".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    upstream.commit({"data/model.bin": LARGE})
    git("lfs", "push", "--all", "origin", cwd=upstream.author)
    return upstream


def stored(upstream: Upstream) -> int:
    return len([path for path in (upstream.path / "lfs").rglob("*") if path.is_file()])


def test_large_files_are_fetched_changed_and_pushed(upstream: Upstream, tmp_path: Path) -> None:
    repository = opened(upstream, tmp_path / "base")
    for name in ("job-1", "job-2"):
        with repository.lease(upstream.head(), name, soon()) as worktree:
            assert (worktree.path / "data/model.bin").read_bytes() == LARGE
            assert git("status", "--porcelain", cwd=worktree.path, **with_filters()) == ""
            (worktree.path / "data/model.bin").write_bytes(LARGE + name.encode())
            (worktree.path / "more.bin").write_bytes(b"\0" + name.encode())
            candidate = worktree.commit_all("x", "", soon())
            assert (worktree.path / "data/model.bin").read_bytes() == LARGE + name.encode()
            worktree.push(f"evolution/job/{name}", soon())

    assert upstream.show(f"{candidate.commit}:more.bin").startswith("version https://git-lfs")
    assert stored(upstream) == 5
    other = opened(upstream, tmp_path / "other")
    with other.lease(candidate.commit, "job-1", soon()) as worktree:
        assert (worktree.path / "data/model.bin").read_bytes() == LARGE + b"job-2"
        (worktree.path / "README.md").write_text("better\n")
        worktree.commit_all("x", "", soon())
        worktree.push("evolution/job/job-3", soon())
    assert leftovers(repository) == leftovers(other) == []


def test_an_agent_that_uses_lfs_is_not_suspected(upstream: Upstream, tmp_path: Path) -> None:
    repository = opened(upstream, tmp_path / "base")
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        (worktree.path / "new.bin").write_bytes(b"\0new")
        git("add", "-A", cwd=worktree.path, **with_filters())
        assert (repository.base / ".git/hooks/pre-push").exists()
        worktree.commit_all("x", "", soon())
        worktree.push("evolution/job/job-1", soon())

    with repository.lease(upstream.head(), "job-2", soon()):
        assert not (repository.base / ".git/hooks").exists()


def with_filters() -> dict[str, str]:
    config = Path(os.environ["HOME"], "lfs.config")
    config.write_text('[filter "lfs"]\n\tclean = git-lfs clean -- %f\n\tsmudge = git-lfs smudge\n')
    return {"GIT_CONFIG_GLOBAL": str(config)}


def test_without_lfs_the_pointers_are_the_files(upstream: Upstream, tmp_path: Path) -> None:
    repository = opened(upstream, tmp_path / "base", enable_lfs=False)

    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        assert (worktree.path / "data/model.bin").read_text().startswith("version https://git-lfs")
        (worktree.path / "README.md").write_text("better\n")
        worktree.commit_all("x", "", soon())


def test_a_missing_git_lfs_is_reported_where_it_is_needed(
    upstream: Upstream, tmp_path: Path
) -> None:
    # A git that finds no git-lfs beside it or on PATH.
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    fake = bin_folder / "git"
    fake.write_text(
        "#!/bin/sh\n"
        'for word in "$@"; do\n'
        '  if [ "$word" = lfs ]; then echo "git: \'lfs\' is not a git command." >&2; exit 1; fi\n'
        "done\n"
        'exec git "$@"\n'
    )
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)

    with pytest.raises(ConfigError, match="WORKER_REPO_ENABLE_LFS") as error:
        opened(upstream, tmp_path / "base", git_bin=str(fake))
    assert "install git-lfs" in error.value.problems[0].fix

    plain = Upstream.create(tmp_path / "plain")
    opened(plain, tmp_path / "other", git_bin=str(fake))
    with pytest.raises(ConfigError, match="WORKER_REPO_ENABLE_LFS"):
        opened(plain, tmp_path / "third", git_bin=str(fake), enable_lfs=True)


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 5\n"


def test_a_pointer_without_its_file_is_the_candidate_s_fault(
    upstream: Upstream, tmp_path: Path
) -> None:
    repository = opened(upstream, tmp_path / "base")
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        (worktree.path / "data/model.bin").write_text(POINTER.format("0" * 64))

        with pytest.raises(CandidateRejected, match="a pointer of Git LFS"):
            worktree.commit_all("x", "", soon())

    with repository.lease(upstream.head(), "job-2", soon()) as worktree:
        assert (worktree.path / "data/model.bin").read_bytes() == LARGE


@pytest.mark.parametrize("depth", [None, 1])
def test_large_files_that_the_remote_lacks_are_told_with_what_to_do(
    depth: int | None, upstream: Upstream, tmp_path: Path
) -> None:
    shutil.rmtree(upstream.path / "lfs")

    with pytest.raises(GitError) as raised:
        opened(upstream, tmp_path / "base", fetch_depth=depth)

    assert "git lfs push --all" in raised.value.problems[0].fix
    assert raised.value.fault is Fault.REMOTE


def test_a_shallow_clone_has_the_large_files_of_its_commit(
    upstream: Upstream, tmp_path: Path
) -> None:
    url = f"file://{upstream.path}"
    repository = WorkerRepository(RepositoryOptions(url, tmp_path / "base", fetch_depth=1))
    repository.prepare(soon())

    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        assert (worktree.path / "data/model.bin").read_bytes() == LARGE
        (worktree.path / "more.bin").write_bytes(b"\0more")
        worktree.commit_all("x", "", soon())
        worktree.push("evolution/job/job-1", soon())

    assert stored(upstream) == 2
