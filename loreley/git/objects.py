"""What a repository's object store is asked: commits, trees, files and differences."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Unpack

from loreley.errors import GitError
from loreley.git.failures import failure
from loreley.git.git import CallOptions, Git
from loreley.git.reader import COMPARING, Reader, TreeEntry
from loreley.host.tempdirs import temporary_folder

REGULAR_MODES = frozenset({"100644", "100755"})
GITLINK_MODE = "160000"
FOLDER_MODE = "040000"
_WITHOUT_CONTENT = (GITLINK_MODE, "000000")
_SMALL_BYTES = 4 * 1024 * 1024
_KINDS = {FOLDER_MODE: "tree", GITLINK_MODE: "commit"}
_COMMIT = re.compile(rb"tree ([0-9a-f]+)\n(?:.+\n)*?committer .*> (\d+) [+-]\d+\n")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a tree; ``path`` is relative to the tree's root."""

    mode: str
    kind: str  # blob, tree or commit
    object_id: str
    path: str
    size_bytes: int = 0  # of a blob, where it was asked for


@dataclass(frozen=True, slots=True)
class CommitFacts:
    """What a commit says of itself."""

    commit: str
    tree: str
    committed_at: int  # the committer's date, in seconds since 1970


@dataclass(frozen=True, slots=True)
class Difference:
    """A path that two commits have not in common; the mode of an absent side is 000000."""

    path: str
    old_mode: str
    new_mode: str
    old_object_id: str
    new_object_id: str
    changed_lines: int  # added and deleted ones
    is_binary: bool


class ObjectStore:
    """The objects of the repository at ``git_dir``; commits are full ids."""

    def __init__(self, git: Git, git_dir: Path) -> None:
        self.git = git
        self.git_dir = git_dir
        self._reader = Reader(git, git_dir)
        self._compared: dict[
            tuple[str, str], list[Difference]
        ] = {}  # the last two commits or trees

    def close(self) -> None:
        """End what answers questions; the next one starts it anew."""
        self._reader.close()

    def run(self, *arguments: str, **options: Unpack[CallOptions]) -> bytes:
        """A git command in this repository, without a work tree."""
        options.setdefault("cwd", self.git_dir)
        return self.git.run(f"--git-dir={self.git_dir}", *arguments, **options)

    def has_commit(self, commit: str) -> bool:
        """Whether the commit is here, without asking the remote."""
        return self._reader.read_one(commit, "commit") is not None

    def facts(self, commit: str) -> CommitFacts:
        """The commit's tree and date."""
        content = self._reader.read_one(commit, "commit")
        found = _COMMIT.match(content or b"")
        if found is None:
            raise GitError("a commit of the repository is missing", target=commit)
        return CommitFacts(commit, found[1].decode(), int(found[2]))

    def common_ancestor(self, first: str, second: str) -> str | None:
        """The latest commit that both descend from, or None where none is here."""
        completed = self.git.ask(
            *(f"--git-dir={self.git_dir}", "merge-base", first, second), cwd=self.git_dir
        )
        return completed.stdout.decode().strip() or None if completed.exit_code == 0 else None

    def files(self, commit: str, *, with_sizes: bool = False) -> list[Entry]:
        """All blobs and submodules of the commit, in git's order."""
        found = [each for each in self._walk(commit) if each.kind != "tree"]
        if not with_sizes:
            return found
        blobs = [each.object_id for each in found if each.kind == "blob"]
        sizes = dict(zip(blobs, self._reader.sizes_bytes(blobs), strict=True))
        return [replace(each, size_bytes=sizes.get(each.object_id, 0)) for each in found]

    def folders(self, commit: str) -> list[Entry]:
        """All folders and submodules of the commit, each after the folder that holds it."""
        return [each for each in self._walk(commit) if each.kind != "blob"]

    def file(self, commit: str, path: str) -> bytes | None:
        """Content of ``path``, or None where it is not a regular file; LFS files are pointers."""
        tree, *folders = self._reader.tree_of(commit), *os.fsencode(path).split(b"/")
        for name in folders[:-1]:
            entry = self._find(tree, name)
            if entry is None or entry.mode != FOLDER_MODE:
                return None
            tree = entry.object_id
        entry = self._find(tree, folders[-1])
        if entry is None or entry.mode not in REGULAR_MODES:
            return None
        return self._reader.read_one(entry.object_id, "blob")

    def _find(self, tree: str, name: bytes) -> TreeEntry | None:
        entries = self._reader.trees([tree])[tree]
        return next((each for each in entries if each.name == name), None)

    def _walk(self, commit: str) -> Iterator[Entry]:
        """Everything in the commit, each folder before what it holds."""
        top = self._reader.tree_of(commit)
        trees = dict(self._reader.trees([top]))
        level = [top]
        while level:  # all folders of one depth are asked for together
            level = [
                entry.object_id
                for tree in level
                for entry in trees[tree]
                if entry.mode == FOLDER_MODE and entry.object_id not in trees
            ]
            trees |= self._reader.trees(level)
        waiting = [("", iter(trees[top]))]
        while waiting:  # a loop, since depth is not ours
            folder, entries = waiting[-1]
            entry = next(entries, None)
            if entry is None:
                waiting.pop()
                continue
            path = folder + os.fsdecode(entry.name)
            yield Entry(entry.mode, _KINDS.get(entry.mode, "blob"), entry.object_id, path)
            if entry.mode == FOLDER_MODE:
                waiting.append((f"{path}/", iter(trees[entry.object_id])))

    def text_files(self, commit: str) -> frozenset[str]:
        """Paths of the non-empty files that git takes for text. Reads every file."""
        completed = self.git.ask(
            *(f"--git-dir={self.git_dir}", "grep", "-I", "-l", "-z", "-e", "", commit),
            cwd=self.git_dir,
        )
        if completed.exit_code > 1 or completed.exit_code < 0:
            raise failure(completed, self.git_dir)
        prefix = len(commit) + 1
        return frozenset(os.fsdecode(name[prefix:]) for name in _split(completed.stdout))

    def sizes_bytes(self, object_ids: Sequence[str]) -> list[int]:
        """The size of each of these objects."""
        return list(self._reader.sizes_bytes(object_ids))

    def blobs(self, object_ids: Sequence[str]) -> Iterator[bytes]:
        """The content of each of these blobs, in their order; raises `GitError`."""
        for object_id, found in zip(object_ids, self._reader.read(object_ids), strict=True):
            if found is None or found.kind != "blob":
                raise GitError("a file of the repository is missing", target=object_id)
            yield found.content

    def differences(self, old: str, new: str) -> list[Difference]:
        """Every path in which the commits or trees differ; a rename is two of them."""
        if (old, new) not in self._compared:
            found = _parse_differences(self._reader.difference(old, new))
            self._compared = {(old, new): found}
        return list(self._compared[old, new])

    def patch(self, old: str, new: str, limit_bytes: int, **options: Unpack[CallOptions]) -> str:
        """The differences as a unified diff of at most so many bytes; binary files are named.

        Bytes that are not UTF-8 are replaced.
        """
        if self._is_small(self.differences(old, new)):
            whole = self._reader.patch(old, new)
            size_bytes, content = len(whole), whole[:limit_bytes]
        else:
            size_bytes, content = self._write_patch(old, new, limit_bytes, **options)
        text = content.decode("utf-8", "replace")
        if size_bytes <= limit_bytes:
            return text
        return f"{text}\n[cut: the first {limit_bytes} of {size_bytes} bytes]\n"

    def _is_small(self, differences: Sequence[Difference]) -> bool:
        """Whether the patch can be held in memory, whatever is asked for of it."""
        sides = {(each.old_mode, each.old_object_id) for each in differences}
        sides |= {(each.new_mode, each.new_object_id) for each in differences}
        held = [object_id for mode, object_id in sides if mode not in _WITHOUT_CONTENT]
        return sum(self._reader.sizes_bytes(held)) <= _SMALL_BYTES

    def _write_patch(
        self, old: str, new: str, limit_bytes: int, **options: Unpack[CallOptions]
    ) -> tuple[int, bytes]:
        """The size of a patch that may be larger than memory, and its first bytes."""
        with temporary_folder() as folder:
            self.run(
                *("diff-tree", "-r", *COMPARING, "-p", "--no-color"),
                *(f"--output={folder / 'patch'}", old, new),
                **options,
            )
            with (folder / "patch").open("rb") as written:
                return os.fstat(written.fileno()).st_size, written.read(limit_bytes)


def _parse_differences(output: bytes) -> list[Difference]:
    raw: dict[bytes, list[str]] = {}
    counts: dict[bytes, list[bytes]] = {}
    tokens = iter(_split(output))
    for token in tokens:
        if token.startswith(b":"):
            raw[next(tokens)] = token[1:].decode().split()
        else:
            *lines, path = token.split(b"\t", 2)
            counts[path] = lines
    return [_parse_difference(path, raw[path], counts[path]) for path in raw]


def _parse_difference(path: bytes, raw: list[str], counts: list[bytes]) -> Difference:
    old_mode, new_mode, old_object_id, new_object_id, _ = raw
    is_binary = counts[0] == b"-"
    return Difference(
        path=os.fsdecode(path),
        old_mode=old_mode,
        new_mode=new_mode,
        old_object_id=old_object_id,
        new_object_id=new_object_id,
        changed_lines=1 if is_binary else sum(map(int, counts)),
        is_binary=is_binary,
    )


def _split(output: bytes) -> list[bytes]:
    return output.split(b"\0")[:-1]


def require_commit_id(commit: str) -> None:
    """Raise `GitError` unless this is a full commit id: names and options are not accepted."""
    if len(commit) not in (40, 64) or not set(commit) <= set("0123456789abcdef"):
        raise GitError("not a full commit id", target=repr(commit)[:100])
