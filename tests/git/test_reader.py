"""Git processes that stay, on real repositories that change under them."""

import os
import signal
from pathlib import Path

import pytest

from loreley.errors import GitError
from loreley.git.git import Git
from loreley.git.objects import ObjectStore
from loreley.host.conversation import Conversation
from tests.core.worker.upstream import Upstream, git


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream.create(tmp_path, {"a.txt": "a\n", "sub/deep/b.txt": "b\n"})


@pytest.fixture
def store(upstream: Upstream) -> ObjectStore:
    return ObjectStore(Git(), upstream.path)


def conversations(store: ObjectStore) -> list[Conversation]:
    reader = store._reader
    return [reader._objects, reader._sizes, reader._differences, reader._patches]


def ask_everything(store: ObjectStore, old: str, new: str) -> object:
    return (
        store.facts(new),
        store.files(new, with_sizes=True),
        store.folders(new),
        store.file(new, "sub/deep/b.txt"),
        store.differences(old, new),
        store.patch(old, new, 10_000),
    )


def test_a_repository_is_asked_by_four_processes(
    upstream: Upstream, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = upstream.head()
    commits = [upstream.commit({"a.txt": f"{number}\n"}) for number in range(5)]
    monkeypatch.setattr(Git, "ask", None)  # nothing is asked by a process of its own

    for commit in commits:
        ask_everything(store, old, commit)

    assert all(each._program is not None for each in conversations(store))


def test_processes_that_are_killed_are_asked_anew(upstream: Upstream, store: ObjectStore) -> None:
    old, new = upstream.head(), upstream.commit({"a.txt": "new\n", "c.txt": "c\n"})
    before = ask_everything(store, old, new)

    for each in conversations(store):
        assert each._program is not None
        os.kill(each._program.process.pid, signal.SIGKILL)
    store._compared.clear()
    store._reader._trees.clear()

    assert ask_everything(store, old, new) == before


def test_a_repack_under_the_processes_changes_no_answer(
    upstream: Upstream, store: ObjectStore
) -> None:
    old = upstream.head()
    ask_everything(store, old, old)
    new = upstream.commit({"a.txt": "new\n", "c.txt": "c\n"})
    before = ask_everything(store, old, new)
    store._compared.clear()
    store._reader._trees.clear()

    git("repack", "-q", "-a", "-d", "-f", cwd=upstream.path)
    git("prune", "--expire=now", cwd=upstream.path)

    assert ask_everything(store, old, new) == before


def test_an_object_that_is_gone_is_reported(upstream: Upstream, store: ObjectStore) -> None:
    commit = upstream.commit({"a.txt": "new\n"})
    tree = store.facts(commit).tree
    path = upstream.path / "objects" / tree[:2] / tree[2:]
    if not path.exists():
        git("unpack-objects", cwd=upstream.path)
    path.chmod(0o600)
    path.unlink()

    with pytest.raises(GitError, match="missing"):
        store.files(commit)
    with pytest.raises(GitError):
        store.differences(commit, upstream.head() if upstream.head() != commit else tree)


def test_names_with_newlines_and_bytes_are_as_git_has_them(
    upstream: Upstream, store: ObjectStore
) -> None:
    names = ["x\ny.txt", "tab\t.txt", "end-1\n/z.txt", os.fsdecode(b"\xff.txt")]
    old = upstream.head()
    new = upstream.commit(dict.fromkeys(names, "1\n"))

    listed = store.run("ls-tree", "-r", "-z", "--name-only", new).split(b"\0")[:-1]
    assert [os.fsencode(entry.path) for entry in store.files(new)] == listed
    assert sorted(each.path for each in store.differences(old, new)) == sorted(names)
    assert store.file(new, names[0]) == b"1\n"


@pytest.mark.parametrize("name", ["HEAD", "--help", "", "a" * 39, f"{'a' * 40}\n{'a' * 40}"])
def test_only_full_ids_are_asked_for(store: ObjectStore, name: str) -> None:
    with pytest.raises(GitError, match="not a full id"):
        store.facts(name)


def test_more_files_than_are_kept_in_memory_are_listed(
    upstream: Upstream, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loreley.git.reader._KNOWN_ENTRIES", 3)
    new = upstream.commit({f"{folder}/{file}": "x" for folder in "abcd" for file in "efgh"})

    listed = git("ls-tree", "-r", "--name-only", new, cwd=upstream.path).split("\n")
    assert [entry.path for entry in store.files(new)] == listed


@pytest.mark.parametrize("limit_bytes", [40, 10_000])
def test_a_patch_is_the_same_from_either_way(
    upstream: Upstream, store: ObjectStore, monkeypatch: pytest.MonkeyPatch, limit_bytes: int
) -> None:
    old = upstream.head()
    new = upstream.commit({"a.txt": "new\n", "c.bin": b"\0\1", "x\ny": "1", "sub/deep/b.txt": None})
    ours = store.patch(old, new, limit_bytes)

    monkeypatch.setattr("loreley.git.objects._SMALL_BYTES", -1)

    assert store.patch(old, new, limit_bytes) == ours
    assert "Binary files" in ours or "[cut: " in ours
