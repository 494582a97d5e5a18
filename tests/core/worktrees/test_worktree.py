"""A leased checkout: what it shows, measures and pushes."""

from pathlib import Path

import pytest

from loreley.core.worker.repository import WorkerRepository, Worktree
from loreley.errors import GitError, JobLost
from tests.core.worker.upstream import FILES, Upstream, git, opened, soon


def test_a_checkout_is_made_clean_again_for_the_next_run(worktree: Worktree) -> None:
    source = worktree.path / "src/pack.py"
    source.write_text("spoilt")
    worktree.restore(soon())
    assert source.read_text() == "radius = 1.0\ncount = 26\n"

    source.write_text("candidate\n")
    worktree.commit_all("subject", "", soon())
    source.write_text("spoilt")
    (worktree.path / "cache").mkdir()
    worktree.restore(soon())
    assert source.read_text() == "candidate\n"
    assert not (worktree.path / "cache").exists()


def test_the_files_of_a_commit_can_be_read(worktree: Worktree, upstream: Upstream) -> None:
    (worktree.path / "src/pack.py").write_text("edited\n")
    other = upstream.commit({"src/pack.py": "other\n"}, branch="evolution/job/x-1")

    assert worktree.tracked_files() == sorted(FILES)
    assert worktree.read(worktree.base_commit, "src/pack.py") == b"radius = 1.0\ncount = 26\n"
    assert worktree.read(other, "src/pack.py") == b"other\n"
    for path in ("src", "none", "../x", "/etc/passwd", "", "src/../src/pack.py", "*.md", "a\0b"):
        assert worktree.read(worktree.base_commit, path) is None
    with pytest.raises(GitError):
        worktree.read("0" * 40, "README.md")


def test_the_common_ancestor_of_two_commits_is_found(
    worktree: Worktree, upstream: Upstream
) -> None:
    base = worktree.base_commit
    one = upstream.commit({"src/pack.py": "one\n"}, branch="one")
    git("reset", "-q", "--hard", base, cwd=upstream.author)
    two = upstream.commit({"src/pack.py": "two\n"}, branch="two")
    git("checkout", "-q", "--orphan", "stranger", cwd=upstream.author)
    stranger = upstream.commit({"a": "b\n"}, branch="stranger")

    assert worktree.common_ancestor(one, two) == base
    assert worktree.common_ancestor(base, one) == base
    assert worktree.common_ancestor(base, stranger) is None


def test_links_and_submodules_are_no_files(upstream: Upstream, tmp_path: Path) -> None:
    (upstream.author / "link").symlink_to("README.md")
    git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub", cwd=upstream.author)
    git("add", "link", cwd=upstream.author)
    git("commit", "-q", "-m", "x", cwd=upstream.author)
    git("push", "-q", "origin", "main", cwd=upstream.author)

    with opened(upstream, tmp_path / "b").lease(upstream.head(), "job-1", soon()) as worktree:
        assert worktree.tracked_files() == sorted(FILES)
        assert worktree.read(worktree.base_commit, "link") is None
        assert worktree.read(worktree.base_commit, "sub") is None


def test_a_patch_shows_the_work_before_and_after_the_commit(worktree: Worktree) -> None:
    (worktree.path / "src/pack.py").write_text("radius = 2\ncount = 26\n")
    (worktree.path / "data.bin").write_bytes(b"\0\xff")
    (worktree.path / "latin").write_bytes(b"caf\xe9\n")

    before = worktree.patch(10_000)
    worktree.commit_all("x", "", soon())

    assert worktree.patch(10_000) == before
    assert "-radius = 1.0\n+radius = 2\n" in before
    assert "Binary files a/data.bin and b/data.bin differ" in before
    assert "+caf\N{REPLACEMENT CHARACTER}" in before
    cut = worktree.patch(50)
    assert cut.startswith(before[:50])
    assert "cut: the first 50 of" in cut


def test_a_footprint_is_lines_changed_and_bytes_of_text(
    worktree: Worktree, upstream: Upstream
) -> None:
    text = sum(len(FILES[name]) for name in FILES if name != "data.bin")
    assert worktree.measure(worktree.base_commit) == (
        worktree.measure(worktree.base_commit).__class__(0, text)
    )
    (worktree.path / "src/pack.py").write_text("radius = 2\ncount = 26\n")  # 2 bytes less, ±1 line
    (worktree.path / "more.py").write_text("a\nb\n")  # 4 bytes, 2 lines
    (worktree.path / "README.md").unlink()  # 8 bytes, 1 line
    (worktree.path / "data.bin").write_text("text now\n")  # 9 bytes, counts one
    (worktree.path / "src/deep/er/leaf.py").write_bytes(b"\0")  # 12 bytes less, counts one
    (worktree.path / "link").symlink_to("src")  # one line, no code

    worktree.commit_all("x", "", soon())
    footprint = worktree.measure(worktree.base_commit)

    assert footprint.code_size == text - 2 + 4 - 8 + 9 - 12
    assert footprint.edit_distance == 2 + 2 + 1 + 1 + 1 + 1


def test_a_push_can_be_repeated_but_not_contradicted(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        (worktree.path / "README.md").write_text("one\n")
        one = worktree.commit_all("one", "", soon())
        worktree.push("evolution/job/job-1", soon())
        worktree.push("evolution/job/job-1", soon())
    with repository.lease(upstream.head(), "job-2", soon()) as worktree:
        (worktree.path / "README.md").write_text("two\n")
        worktree.commit_all("two", "", soon())
        with pytest.raises(JobLost):
            worktree.push("evolution/job/job-1", soon())

    assert git("rev-parse", "evolution/job/job-1", cwd=upstream.path) == one.commit
    assert git("for-each-ref", "--format=%(refname)", cwd=repository.base).splitlines() == [
        "refs/remotes/origin/main"
    ]


def test_a_refused_push_tells_what_the_remote_said(worktree: Worktree, upstream: Upstream) -> None:
    hook = upstream.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not on my watch >&2\nexit 1\n")
    hook.chmod(0o755)
    (worktree.path / "README.md").write_text("one\n")
    worktree.commit_all("one", "", soon())

    with pytest.raises(GitError, match="not on my watch") as error:
        worktree.push("evolution/job/job-1", soon())
    assert "the remote refused" in error.value.problems[0].fix
