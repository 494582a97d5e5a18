"""What a repository's object store is asked: commits, trees, files and differences."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from loreley.errors import GitError
from loreley.git.failures import failure
from loreley.git.git import CallOptions, Git
from loreley.host.tempdirs import temporary_folder

REGULAR_MODES = frozenset({"100644", "100755"})
GITLINK_MODE = "160000"


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


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """The objects of the repository at ``git_dir``; commits are full ids."""

    git: Git
    git_dir: Path

    def run(self, *arguments: str, **options: Unpack[CallOptions]) -> bytes:
        """A git command in this repository, without a work tree."""
        options.setdefault("cwd", self.git_dir)
        return self.git.run(f"--git-dir={self.git_dir}", *arguments, **options)

    def has_commit(self, commit: str) -> bool:
        """Whether the commit is here, without asking the remote."""
        completed = self.git.ask(
            *(f"--git-dir={self.git_dir}", "cat-file", "-e", f"{commit}^{{commit}}"),
            cwd=self.git_dir,
        )
        return completed.exit_code == 0

    def facts(self, commit: str) -> CommitFacts:
        """The commit's tree and date."""
        tree, seconds = self.run("log", "-1", "--format=%T %ct", commit).decode().split()
        return CommitFacts(commit, tree, int(seconds))

    def common_ancestor(self, first: str, second: str) -> str | None:
        """The latest commit that both descend from, or None where none is here."""
        completed = self.git.ask(
            *(f"--git-dir={self.git_dir}", "merge-base", first, second), cwd=self.git_dir
        )
        return completed.stdout.decode().strip() or None if completed.exit_code == 0 else None

    def files(self, commit: str, *, with_sizes: bool = False) -> list[Entry]:
        """All blobs and submodules of the commit, in git's order."""
        long = ("-l",) if with_sizes else ()
        return list(_parse_entries(self.run("ls-tree", "-r", "-z", *long, commit)))

    def folders(self, commit: str) -> list[Entry]:
        """All folders and submodules of the commit, each after the folder that holds it."""
        return list(_parse_entries(self.run("ls-tree", "-r", "-d", "-z", commit)))

    def file(self, commit: str, path: str) -> bytes | None:
        """Content of ``path``, or None where it is not a regular file; LFS files are pointers."""
        if not path or path != os.path.normpath(path) or path.startswith(("/", "..")):
            return None
        if "\0" in path:
            return None
        entries = list(_parse_entries(self.run("ls-tree", "-z", commit, "--", path)))
        for entry in entries:
            if entry.path == path and entry.mode in REGULAR_MODES:
                return self.run("cat-file", "blob", entry.object_id)
        return None

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
        if not object_ids:
            return []
        lines = self.run(
            "cat-file",
            "--batch-check=%(objectsize)",
            stdin="".join(f"{object_id}\n" for object_id in object_ids).encode(),
        )
        return [int(line) for line in lines.split()]

    def blobs(self, object_ids: Sequence[str]) -> Iterator[bytes]:
        """The content of each of these blobs, in their order."""
        if not object_ids:
            return
        names = "".join(f"{object_id}\n" for object_id in object_ids).encode()
        output = self.run("cat-file", "--batch", stdin=names)
        at = 0
        for _ in object_ids:
            end_of_head = output.index(b"\n", at)
            size_bytes = int(output[at:end_of_head].rpartition(b" ")[2])
            yield output[end_of_head + 1 : end_of_head + 1 + size_bytes]
            at = end_of_head + 1 + size_bytes + 1

    def differences(self, old: str, new: str) -> list[Difference]:
        """Every path in which the commits or trees differ; a rename is two of them."""
        return _parse_differences(
            self.run(
                *("diff-tree", "-r", "-z", "--raw", "--numstat", "--no-renames"),
                *("--no-ext-diff", "--no-textconv", old, new),
            )
        )

    def patch(self, old: str, new: str, limit_bytes: int, **options: Unpack[CallOptions]) -> str:
        """The differences as a unified diff of at most so many bytes; binary files are named.

        Bytes that are not UTF-8 are replaced.
        """
        with temporary_folder() as folder:
            self.run(
                *("diff-tree", "-r", "-p", "--no-renames", "--no-ext-diff", "--no-textconv"),
                *("--no-color", f"--output={folder / 'patch'}", old, new),
                **options,
            )
            with (folder / "patch").open("rb") as written:
                size_bytes = os.fstat(written.fileno()).st_size
                content = written.read(limit_bytes)
        text = content.decode("utf-8", "replace")
        if size_bytes <= limit_bytes:
            return text
        return f"{text}\n[cut: the first {limit_bytes} of {size_bytes} bytes]\n"


def _parse_entries(output: bytes) -> Iterator[Entry]:
    for record in _split(output):
        attributes, _, path = record.partition(b"\t")
        mode, kind, object_id, *size = attributes.decode().split()
        size_bytes = int(size[0]) if size and size[0] != "-" else 0
        yield Entry(mode, kind, object_id, os.fsdecode(path), size_bytes)


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
