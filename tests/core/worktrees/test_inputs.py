"""Repositories and agents as people bring them (rows 1 and 18)."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from loreley.core.worker.repository import Worktree
from loreley.errors import CandidateRejected
from tests.core.worker.upstream import Upstream, git, opened, soon

CRLF = b"one\r\ntwo\r\n"


def repository_with(folder: Path, attributes: str, files: dict[str, bytes]) -> Upstream:
    """A repository whose blobs are not as its attributes say they are."""
    upstream = Upstream.create(folder / "upstream")
    upstream.commit(files)
    (upstream.author / ".gitattributes").write_text(attributes)
    git("add", ".gitattributes", cwd=upstream.author)
    git("commit", "-qm", "attributes", cwd=upstream.author)
    git("push", "-q", "origin", "HEAD:main", cwd=upstream.author)
    return upstream


@pytest.fixture(params=["*.md text eol=lf\n", "*.md text\n", "* text=auto eol=lf\n"])
def dirty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Worktree]:
    files = {"dos.md": CRLF, "a dos.md": CRLF}
    upstream = repository_with(tmp_path, str(request.param), files)
    repository = opened(upstream, tmp_path / "base")
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        for name in files:  # as an editor or a build does that looks at everything
            os.utime(worktree.path / name, (1, 1))
        yield worktree


def changed(worktree: Worktree) -> set[str]:
    worktree.commit_all("x", "", soon())
    return set(git("diff", "--name-only", "HEAD^", "HEAD", cwd=worktree.path).splitlines())


def test_row_1_a_file_with_crlf_that_nobody_touched_is_no_change(dirty: Worktree) -> None:
    (dirty.path / "src/pack.py").write_text("radius = 2\n")

    assert dirty.patch(10_000).count("diff --git") == 1
    assert changed(dirty) == {"src/pack.py"}


def test_row_1_a_file_that_was_written_as_it_was_is_no_change(dirty: Worktree) -> None:
    (dirty.path / "dos.md").write_bytes(CRLF)

    with pytest.raises(CandidateRejected, match="changed nothing"):
        dirty.commit_all("x", "", soon())


def test_row_1_a_file_that_was_touched_is_one(dirty: Worktree) -> None:
    (dirty.path / "dos.md").write_bytes(CRLF + b"three\r\n")

    assert changed(dirty) == {"dos.md"}


def test_row_1_a_mode_that_was_changed_is_a_change(dirty: Worktree) -> None:
    (dirty.path / "dos.md").chmod(0o755)

    assert changed(dirty) == {"dos.md"}


def test_row_18_ignored_files_that_were_added_are_told(worktree: Worktree) -> None:
    (worktree.path / ".gitignore").write_text("models/\n*.pyc\nlocal_*.py\n")
    (worktree.path / "local_table.py").write_text("x = 1\n")
    (worktree.path / "models").mkdir()
    (worktree.path / "models/best.py").write_text("x = 1\n")
    (worktree.path / "lost.pyc").write_text("made again")

    candidate = worktree.commit_all("x", "", soon())

    assert set(candidate.ignored) == {"local_table.py", "models/"}


def test_row_18_a_change_of_ignored_files_alone_says_so(worktree: Worktree) -> None:
    ignored = worktree.path / "cache"
    ignored.mkdir()
    (ignored / "table.py").write_text("x = 1\n")

    with pytest.raises(CandidateRejected, match="changed nothing") as raised:
        worktree.commit_all("x", "", soon())

    assert raised.value.problems[0].reason == "only files that .gitignore matches: cache/"


def test_row_18_a_tracked_file_that_is_ignored_is_a_change(
    upstream: Upstream, tmp_path: Path
) -> None:
    upstream.commit({"cache/table.py": "x = 1\n", "cache/.gitignore": "*\n"})
    git("add", "-f", "cache/table.py", cwd=upstream.author)
    git("commit", "-q", "--amend", "--no-edit", cwd=upstream.author)
    git("push", "-qf", "origin", "HEAD:main", cwd=upstream.author)
    repository = opened(upstream, tmp_path / "base")
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        (worktree.path / "cache/table.py").write_text("x = 2\n")

        assert changed(worktree) == {"cache/table.py"}


def test_row_18_a_gitignore_that_the_agent_adds_counts(worktree: Worktree) -> None:
    (worktree.path / "src/.gitignore").write_text("helper.py\n")
    (worktree.path / "src/helper.py").write_text("x = 1\n")

    assert worktree.commit_all("x", "", soon()).ignored == ("src/helper.py",)


def test_row_18_what_only_the_user_of_the_worker_ignores_is_a_change(
    worktree: Worktree, tmp_path: Path
) -> None:
    (tmp_path / "ignore").write_text("*.py\n")
    git("config", "--global", "core.excludesFile", str(tmp_path / "ignore"), cwd=tmp_path)
    (worktree.path / "src/helper.py").write_text("x = 1\n")

    assert changed(worktree) == {"src/helper.py"}
