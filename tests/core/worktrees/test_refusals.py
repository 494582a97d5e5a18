"""What cannot be a candidate is refused with its reason."""

import inspect
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loreley.core.worker.repository import WorkerRepository, Worktree
from loreley.core.worktrees import changes
from loreley.errors import CandidateRejected
from tests.core.worker.upstream import Upstream, contents, git, leftovers, opened, soon


def nested_repository(top: Path) -> None:
    git("init", "-q", "nested", cwd=top)
    (top / "nested/x").write_text("x")
    git("add", "x", cwd=top / "nested")
    git("commit", "-q", "-m", "x", cwd=top / "nested")


def nested_repository_without_a_commit(top: Path) -> None:
    git("init", "-q", "nested", cwd=top)


def repository_in_a_tracked_folder(top: Path) -> None:
    git("init", "-q", "src", cwd=top)


def link_to_a_repository_in_a_tracked_folder(top: Path) -> None:
    (top / "src/.git").write_text("gitdir: /elsewhere\n")


def pipe_for_a_file(top: Path) -> None:
    (top / "src/pack.py").unlink()
    os.mkfifo(top / "src/pack.py")


def socket_for_a_file(top: Path) -> None:
    (top / "README.md").unlink()
    here = Path.cwd()
    os.chdir(top)  # socket paths are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("README.md")
    os.chdir(here)


def impossible_encoding(top: Path) -> None:
    (top / ".gitattributes").write_text("*.md working-tree-encoding=UTF-16LE\n")
    (top / "README.md").write_bytes(b"\xff\xff\xfe\xd8\x00")


def forbidden_name(top: Path) -> None:
    (top / ".GIT").mkdir()
    (top / ".GIT/config").write_text("x")


def git_file_replaced(top: Path) -> None:
    (top / ".git").unlink()
    git("init", "-q", ".", cwd=top)


def git_file_linked(top: Path) -> None:
    (top / ".git").rename(top / "dotgit")
    (top / ".git").symlink_to("dotgit")


def folder_replaced(top: Path) -> None:
    top.rename(top.with_name("elsewhere"))
    top.symlink_to("elsewhere")


def repository_config(top: Path) -> None:
    git("config", "core.fsmonitor", "touch /tmp/never", cwd=top)
    (top / "README.md").write_text("changed\n")


def repository_attributes(top: Path) -> None:
    info = Path(git("rev-parse", "--git-common-dir", cwd=top)) / "info"
    info.mkdir(exist_ok=True)
    (info / "attributes").write_text("* filter=evil\n")
    (top / "README.md").write_text("changed\n")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (nested_repository, "nested repository: nested/"),
        (nested_repository_without_a_commit, "nested repository: nested/"),
        (repository_in_a_tracked_folder, "nested repository: src/"),
        (link_to_a_repository_in_a_tracked_folder, "nested repository: src/"),
        (pipe_for_a_file, "neither a file nor a symbolic link: src/pack.py"),
        (socket_for_a_file, "neither a file nor a symbolic link: README.md"),
        (impossible_encoding, "README.md"),
        (forbidden_name, "Ignoring path .GIT/config"),
        (git_file_replaced, ".git file"),
        (git_file_linked, ".git file"),
        (folder_replaced, ".git file"),
        (repository_config, "configuration was changed"),
        (repository_attributes, "configuration was changed"),
    ],
)
def test_what_cannot_be_a_candidate_is_refused_with_its_reason(
    repository: WorkerRepository,
    upstream: Upstream,
    change: Callable[[Path], None],
    reason: str,
) -> None:
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        pristine = contents(worktree.path)
        change(worktree.path)
        with pytest.raises(CandidateRejected) as error:
            worktree.commit_all("x", "", soon())
        assert reason in str(error.value)
        worktree.patch(10_000)

    with repository.lease(upstream.head(), "job-2", soon()) as worktree:
        assert contents(worktree.path) == pristine
        (worktree.path / "README.md").write_text("better\n")
        worktree.commit_all("x", "", soon())
    assert leftovers(repository) == []


def test_too_much_is_refused(worktree: Worktree, monkeypatch: pytest.MonkeyPatch) -> None:
    with (worktree.path / "huge").open("wb") as file:
        file.truncate(changes.MAX_CHANGED_BYTES + 1)

    with pytest.raises(CandidateRejected, match="at most"):
        worktree.commit_all("x", "", soon())


def test_a_repository_does_not_begin_to_use_lfs(
    worktree: Worktree, upstream: Upstream, tmp_path: Path
) -> None:
    """Every job that started from such a candidate would fail for want of the objects."""
    attributes = "*.dat filter=lfs diff=lfs merge=lfs -text\n"
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 5\n"
    for top in (worktree.path, upstream.author):
        (top / ".gitattributes").write_text(attributes)
        (top / "some.dat").write_text(pointer)

    with pytest.raises(CandidateRejected, match="Git LFS"):
        worktree.commit_all("x", "", soon())

    using = upstream.commit({})
    pointers = opened(upstream, tmp_path / "pointers", enable_lfs=False)
    with pointers.lease(using, "job-1", soon()) as other:
        (other.path / "README.md").write_text("better\n")
        other.commit_all("x", "", soon())


def test_a_file_deeper_than_python_goes_is_committed(worktree: Worktree) -> None:
    depth = 200
    deep = worktree.path.joinpath(*["a"] * depth)
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + depth)
    try:
        worktree.commit_all("x", "", soon())
    finally:
        sys.setrecursionlimit(limit)

    assert [each.path for each in worktree.differences()] == ["a/" * depth + "file"]


def test_what_is_too_much_is_not_kept_in_order_to_show_it(
    worktree: Worktree, repository: WorkerRepository
) -> None:
    before = git("count-objects", "-v", cwd=repository.base)
    with (worktree.path / "huge").open("wb") as file:
        file.truncate(changes.MAX_CHANGED_BYTES + 1)

    assert worktree.patch(1000) == "[too much was changed to be shown]\n"
    assert git("count-objects", "-v", cwd=repository.base) == before
