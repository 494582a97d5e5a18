"""What was changed in a worktree becomes a commit, whatever git is told."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from loreley.core.worker.repository import WorkerRepository, Worktree
from loreley.errors import CandidateRejected
from tests.core.worker.upstream import (
    FILES,
    Upstream,
    committed,
    contents,
    git,
    leftovers,
    opened,
    soon,
)


def test_a_candidate_holds_all_that_changed(worktree: Worktree) -> None:
    (worktree.path / "src/pack.py").write_text("radius = 2\n")
    (worktree.path / "README.md").unlink()
    (worktree.path / "new/er").mkdir(parents=True)
    (worktree.path / "new/er/ü \n.txt").write_text("x")
    (worktree.path / "data.bin").chmod(0o755)
    (worktree.path / "lost.pyc").write_text("ignored")

    candidate = worktree.commit_all("A subject\nof two lines", "And\0 a body.", soon())

    assert git("rev-parse", f"{candidate.commit}^{{tree}}", cwd=worktree.path) == candidate.tree
    assert git("rev-parse", f"{candidate.commit}^", cwd=worktree.path) == worktree.base_commit
    raw = git("show", "-s", "--format=%an|%ae|%at|%ct|%B", candidate.commit, cwd=worktree.path)
    assert raw == (
        "loreley|loreley@localhost|1700000001|1700000001|A subject of two lines\n\nAnd  a body."
    )
    changed = git("diff", "--name-status", "-z", "HEAD^", "HEAD", cwd=worktree.path)
    assert set(changed.split("\0")) >= {"README.md", "data.bin", "new/er/ü \n.txt", "src/pack.py"}
    assert "lost.pyc" not in changed


def test_what_is_judged_is_what_was_committed(worktree: Worktree) -> None:
    (worktree.path / ".gitattributes").write_text("*.txt text eol=lf\n")
    (worktree.path / "dos.txt").write_bytes(b"a\r\nb\r\n")
    (worktree.path / "cache").mkdir()
    (worktree.path / "cache/score.json").write_text("1e9")
    (worktree.path / "src/deep/empty").mkdir()
    os.mkfifo(worktree.path / "src/pipe")

    candidate = worktree.commit_all("x", "", soon())

    assert (worktree.path / "dos.txt").read_bytes() == b"a\nb\n"
    assert not (worktree.path / "cache").exists()
    assert not (worktree.path / "src/deep/empty").exists()
    assert not os.path.lexists(worktree.path / "src/pipe")
    assert git("rev-parse", "HEAD", cwd=worktree.path) == candidate.commit
    assert git("status", "--porcelain", "--ignored", cwd=worktree.path) == ""


def test_the_same_change_of_the_same_base_has_the_same_id(
    repository: WorkerRepository, upstream: Upstream, tmp_path: Path
) -> None:
    other = opened(upstream, tmp_path / "other")
    found = set()
    for place, name in ((repository, "job-1"), (repository, "job-2"), (other, "job-9")):
        with place.lease(upstream.head(), name, soon()) as worktree:
            (worktree.path / "src/pack.py").write_text("radius = 3\n")
            found.add(worktree.commit_all("subject", "body", soon()))

    assert len(found) == 1


@pytest.mark.parametrize("touch", [True, False])
def test_nothing_changed_is_no_candidate(worktree: Worktree, touch: bool) -> None:
    if touch:
        (worktree.path / "src/pack.py").write_text((worktree.path / "src/pack.py").read_text())
        (worktree.path / "x.pyc").write_text("ignored")
        (worktree.path / "empty").mkdir()

    with pytest.raises(CandidateRejected, match="changed nothing"):
        worktree.commit_all("x", "", soon())
    assert worktree.patch(1000) == ""


def test_commits_of_the_agent_become_part_of_the_one_candidate(worktree: Worktree) -> None:
    (worktree.path / "src/pack.py").write_text("one\n")
    git("commit", "-q", "-am", "one", cwd=worktree.path)
    git("checkout", "-q", "-b", "mine", cwd=worktree.path)
    git("mv", "README.md", "READ.md", cwd=worktree.path)
    git("commit", "-q", "-m", "two", cwd=worktree.path)
    (worktree.path / "third").write_text("3")
    git("add", "third", cwd=worktree.path)

    assert committed(worktree) == {
        "src/pack.py": "M",
        "README.md": "D",
        "READ.md": "A",
        "third": "A",
    }
    assert git("rev-parse", "HEAD^", cwd=worktree.path) == worktree.base_commit


def test_a_change_hidden_from_git_is_found(worktree: Worktree) -> None:
    path = worktree.path / "src/pack.py"
    before = path.stat()
    git("update-index", "--assume-unchanged", "src/pack.py", cwd=worktree.path)
    git("update-index", "--skip-worktree", "README.md", cwd=worktree.path)
    path.write_text("radius = 9.0\ncount = 26\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    (worktree.path / "README.md").write_text("changed\n")

    assert committed(worktree) == {"src/pack.py": "M", "README.md": "M"}


def replace_file_by_folder(top: Path) -> dict[str, str]:
    (top / "README.md").unlink()
    (top / "README.md/in").mkdir(parents=True)
    (top / "README.md/in/x").write_text("x")
    return {"README.md": "D", "README.md/in/x": "A"}


def replace_folder_by_file(top: Path) -> dict[str, str]:
    shutil.rmtree(top / "src")
    (top / "src").write_text("x")
    return {"src/pack.py": "D", "src/deep/er/leaf.py": "D", "src": "A"}


def replace_folder_by_link(top: Path) -> dict[str, str]:
    (top / "src").rename(top / "source")
    (top / "src").symlink_to("source")
    return {
        "src/pack.py": "D",
        "src/deep/er/leaf.py": "D",
        "src": "A",
        "source/pack.py": "A",
        "source/deep/er/leaf.py": "A",
    }


def replace_folder_by_link_outside(top: Path) -> dict[str, str]:
    outside = top.parent.parent / "outside"
    (top / "src").rename(outside)
    (outside / "secret").write_text("x")
    (top / "src").symlink_to(outside)
    return {"src/pack.py": "D", "src/deep/er/leaf.py": "D", "src": "A"}


def replace_folder_by_link_to_other_files(top: Path) -> dict[str, str]:
    outside = top.parent.parent / "outside"
    (top / "src").rename(outside)
    (outside / "pack.py").write_text("changed")
    (outside / "deep/er/leaf.py").unlink()
    (top / "src").symlink_to(outside)
    return {"src/pack.py": "D", "src/deep/er/leaf.py": "D", "src": "A"}


def replace_folder_by_ignored_link(top: Path) -> dict[str, str]:
    (top / "src").rename(top.parent.parent / "outside")
    (top / "src").symlink_to(top.parent.parent / "outside")
    (top / ".gitignore").write_text("src\n")
    return {".gitignore": "M"}


def replace_file_by_link(top: Path) -> dict[str, str]:
    (top / "README.md").unlink()
    (top / "README.md").symlink_to("/etc/passwd")
    return {"README.md": "T"}


def delete_all(top: Path) -> dict[str, str]:
    for name in FILES:
        (top / name).unlink()
    shutil.rmtree(top / "src")
    (top / "one").write_text("1")
    return dict.fromkeys(FILES, "D") | {"one": "A"}


def unknown_filters(top: Path) -> dict[str, str]:
    (top / ".gitattributes").write_text("* filter=evil diff=evil merge=evil\n")
    return {".gitattributes": "A"}


def a_repository_in_an_ignored_folder(top: Path) -> dict[str, str]:
    git("init", "-q", str(top / "cache/nested"), cwd=top)
    (top / "one").write_text("1")
    return {"one": "A"}


@pytest.mark.parametrize(
    "change",
    [
        replace_file_by_folder,
        replace_folder_by_file,
        replace_folder_by_link,
        replace_folder_by_link_outside,
        replace_folder_by_link_to_other_files,
        replace_folder_by_ignored_link,
        replace_file_by_link,
        delete_all,
        unknown_filters,
        a_repository_in_an_ignored_folder,
    ],
)
def test_odd_changes_are_committed_as_git_would(
    repository: WorkerRepository, upstream: Upstream, change: Callable[[Path], dict[str, str]]
) -> None:
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        pristine = contents(worktree.path)
        expected = change(worktree.path)
        assert committed(worktree) == expected
        assert git("status", "--porcelain", "--ignored", cwd=worktree.path) == ""
    with repository.lease(upstream.head(), "job-2", soon()) as worktree:
        assert contents(worktree.path) == pristine
    assert leftovers(repository) == []
