"""Reads a repository's objects by git processes that stay: `cat-file` and `diff-tree`."""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from loreley.errors import CommandFailed, GitError
from loreley.git.git import Git
from loreley.host.conversation import Conversation, Lines

_NAME = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_AT_ONCE = 200  # questions, which a pipe takes together
_KNOWN_ENTRIES = 200_000  # of trees
_MODE_DIGITS = 6
COMPARING = ("--no-renames", "--no-ext-diff", "--no-textconv")

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Object:
    """A commit, tree, blob or tag as git stores it, without its header."""

    kind: str
    content: bytes


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A line of one tree; ``name`` has no slash."""

    mode: str
    object_id: str
    name: bytes


class Reader:
    """The objects of the repository at ``git_dir``, by full ids; what it once read of trees stays.

    Objects are what their ids say, so nothing that is kept grows old. One that is missing is
    looked for by a new process before it is said to be missing.
    """

    def __init__(self, git: Git, git_dir: Path) -> None:
        where = f"--git-dir={git_dir}"
        self._timeout_seconds = git.timeout_seconds
        self._objects = git.converse(where, "cat-file", "--batch", cwd=git_dir)
        self._sizes = git.converse(where, "cat-file", "--batch-check=%(objectsize)", cwd=git_dir)
        compare = (where, "diff-tree", "--stdin", "-r", *COMPARING)
        self._differences = git.converse(*compare, "-z", "--raw", "--numstat", cwd=git_dir)
        self._patches = git.converse(*compare, "-p", "--no-color", cwd=git_dir)
        self._trees: dict[str, Sequence[TreeEntry]] = {}
        self._known_entries = 0

    def close(self) -> None:
        """End the processes; the next question starts them anew."""
        for program in (self._objects, self._sizes, self._differences, self._patches):
            program.close()

    def read(self, object_ids: Sequence[str]) -> Iterator[Object | None]:
        """Each of these objects, in their order; None for what is not here."""
        for start in range(0, len(object_ids), _AT_ONCE):
            some = object_ids[start : start + _AT_ONCE]
            found = self._ask(self._objects, some, _read_object)
            if None in found:  # a repack may have moved it under the process
                self._objects.close()
                found = self._ask(self._objects, some, _read_object)
            yield from found

    def read_one(self, object_id: str, kind: str) -> bytes | None:
        """The content of an object, or None where there is none of this kind."""
        [found] = self.read([object_id])
        return found.content if found and found.kind == kind else None

    def sizes_bytes(self, object_ids: Sequence[str]) -> Iterator[int]:
        """The size of each of these objects; raises `GitError` for one that is not here."""
        for start in range(0, len(object_ids), _AT_ONCE):
            some = object_ids[start : start + _AT_ONCE]
            lines = self._ask(self._sizes, some, lambda lines: lines.read_until(b"\n"))
            for object_id, line in zip(some, lines, strict=True):
                if not line.isdigit():
                    raise GitError("an object of the repository is missing", target=object_id)
                yield int(line)

    def trees(self, object_ids: Sequence[str]) -> Mapping[str, Sequence[TreeEntry]]:
        """The entries of each of these trees, in git's order.

        Raises `GitError` for one that is not here.
        """
        wanted = dict.fromkeys(object_ids)
        known = {each: self._trees[each] for each in wanted if each in self._trees}
        unknown = [each for each in wanted if each not in known]
        for object_id, found in zip(unknown, self.read(unknown), strict=True):
            if found is None or found.kind != "tree":
                raise GitError("a tree of the repository is missing", target=object_id)
            known[object_id] = tuple(_parse_tree(found.content, len(object_id) // 2))
            self._keep(object_id, known[object_id])
        return known

    def _keep(self, object_id: str, entries: Sequence[TreeEntry]) -> None:
        self._known_entries += len(entries)
        if self._known_entries > _KNOWN_ENTRIES:
            self._trees.clear()
            self._known_entries = len(entries)
        self._trees[object_id] = entries

    def tree_of(self, object_id: str) -> str:
        """The tree of a commit, or the tree itself; raises `GitError` when it is not here."""
        [found] = self.read([object_id])
        if found is not None and found.kind == "commit":
            return found.content.partition(b"\n")[0].decode().removeprefix("tree ")
        if found is None or found.kind != "tree":
            raise GitError("a commit of the repository is missing", target=object_id)
        return object_id

    def difference(self, old: str, new: str) -> bytes:
        """What ``git diff-tree -r -z --raw --numstat`` prints of two commits or trees."""
        return self._compare(self._differences, old, new)

    def patch(self, old: str, new: str) -> bytes:
        """What ``git diff-tree -r -p`` prints of two commits or trees, which is read as a whole."""
        return self._compare(self._patches, old, new)

    def _compare(self, program: Conversation, old: str, new: str) -> bytes:
        head = f"{self.tree_of(old)} {self.tree_of(new)}\n".encode()
        end = f"end-{secrets.token_hex(16)}\n".encode()  # echoed, as it is the name of nothing
        try:
            answer = program.ask(
                head + end, lambda lines: lines.read_until(end), self._timeout_seconds
            )
        except CommandFailed as error:
            raise _as_git_error(error) from error
        if not answer.startswith(head[:-1]):
            raise GitError("git cannot compare two trees", target=head.decode().strip())
        return answer[len(head) :]

    def _ask(
        self, program: Conversation, names: Sequence[str], read: Callable[[Lines], Answer]
    ) -> list[Answer]:
        for name in names:
            if not _NAME.fullmatch(name):
                raise GitError("not a full id of an object", target=repr(name)[:100])
        question = "".join(f"{name}\n" for name in names).encode()
        try:
            return program.ask(
                question, lambda lines: [read(lines) for _ in names], self._timeout_seconds
            )
        except CommandFailed as error:
            raise _as_git_error(error) from error


def _read_object(lines: Lines) -> Object | None:
    head = lines.read_until(b"\n").decode().split()
    if len(head) != 3:  # `<id> missing`
        return None
    content = lines.read(int(head[2]) + 1)
    return Object(head[1], content[:-1])


def _parse_tree(content: bytes, id_bytes: int) -> Iterator[TreeEntry]:
    at = 0
    while at < len(content):
        end = content.index(b"\0", at)
        mode, _, name = content[at:end].partition(b" ")
        at = end + 1 + id_bytes
        yield TreeEntry(mode.decode().zfill(_MODE_DIGITS), content[end + 1 : at].hex(), name)


def _as_git_error(error: CommandFailed) -> GitError:
    problem = error.problems[0]
    reason = problem.reason or problem.what
    return GitError("git could not be asked", target=problem.target, reason=reason)
