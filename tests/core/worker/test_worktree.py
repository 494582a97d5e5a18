import inspect
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loreley.core.worker import changes
from loreley.core.worker.repository import WorkerRepository, Worktree
from loreley.errors import CandidateRejected, GitError, JobLost
from tests.core.worker.upstream import FILES, Upstream, contents, git, leftovers, opened, soon


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream.create(tmp_path / "upstream")


@pytest.fixture
def repository(upstream: Upstream, tmp_path: Path) -> WorkerRepository:
    return opened(upstream, tmp_path / "base")


@pytest.fixture
def worktree(repository: WorkerRepository, upstream: Upstream) -> Iterator[Worktree]:
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        yield worktree
    assert leftovers(repository) == []


def committed(worktree: Worktree) -> dict[str, str]:
    """What the candidate changes: path → git's letter."""
    candidate = worktree.commit_all("subject", "", soon())
    lines = git(
        *("diff-tree", "-r", "--name-status", "--no-renames"),
        *(worktree.base_commit, candidate.commit),
        cwd=worktree.path,
    )
    return {path: letter for letter, path in (line.split("\t") for line in lines.splitlines())}


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


HOOKS = ("pre-commit", "post-checkout", "post-index-change", "reference-transaction", "pre-push")


def plant_hooks(folder: Path, ran: Path) -> None:
    folder.mkdir(exist_ok=True)
    for hook in HOOKS:
        (folder / hook).write_text(f"#!/bin/sh\ntouch {ran}\n")
        (folder / hook).chmod(0o755)


def test_hooks_planted_in_the_base_clone_neither_run_nor_stay(
    repository: WorkerRepository, upstream: Upstream, tmp_path: Path
) -> None:
    hooks = repository.base / ".git" / "hooks"
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        (worktree.path / "README.md").write_text("changed\n")
        plant_hooks(hooks, tmp_path / "ran")
        candidate = worktree.commit_all("x", "", soon())
        worktree.push("evolution/job/job-1", soon())
    with repository.lease(candidate.commit, "job-2", soon()) as worktree:
        assert not hooks.exists()
        assert (worktree.path / "README.md").read_text() == "changed\n"

    assert not (tmp_path / "ran").exists()


def test_programs_the_agent_planted_do_not_run(
    repository: WorkerRepository, upstream: Upstream, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    evil = f"touch {ran}; cat"
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        admin = Path(git("rev-parse", "--git-dir", cwd=worktree.path))
        plant_hooks(admin / "hooks", ran)
        (worktree.path / ".gitattributes").write_text("* filter=evil diff=evil\n")
        (worktree.path / "README.md").write_text("changed\n")
        evil_config = (
            f"[core]\n\tfsmonitor = {evil}\n\thooksPath = hooks\n\tsshCommand = {evil}\n"
            f'[filter "evil"]\n\tclean = {evil}\n\tsmudge = {evil}\n\trequired = true\n'
            f'[diff "evil"]\n\tcommand = {evil}\n\ttextconv = {evil}\n'
            f"[gpg]\n\tprogram = {evil}\n[commit]\n\tgpgSign = true\n"
        )
        (admin / "config.worktree").write_text(evil_config)
        (admin / "config").write_text(evil_config)
        (admin / "commondir").write_text(str(tmp_path / "evil.git"))
        git("init", "-q", "--bare", str(tmp_path / "evil.git"), cwd=tmp_path)
        (tmp_path / "evil.git/config").write_text(evil_config)
        Path(os.environ["HOME"], ".gitconfig").write_text(evil_config)
        candidate = worktree.commit_all("x", "", soon())
        worktree.patch(1000)
        worktree.measure(worktree.base_commit)
    with repository.lease(candidate.commit, "job-2", soon()) as worktree:
        assert (worktree.path / "README.md").read_text() == "changed\n"
        Path(os.environ["HOME"], ".gitconfig").unlink()
        assert git("status", "--porcelain", cwd=worktree.path) == ""

    assert not ran.exists()


def test_a_replaced_object_does_not_change_what_is_judged(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    other = upstream.commit({"README.md": "other\n"}, branch="other")
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        git("replace", f"{other}^", other, cwd=worktree.path)
        base = git("rev-parse", f"{other}^", cwd=worktree.path)
        assert worktree.read(base, "README.md") == b"Circles\n"


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
