"""Diffs as models write them: git's, plain ones, and those of apply_patch; pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

_HUNK = re.compile(r"^@@(?: -\d+(?:,\d+)? \+(?P<line>\d+)(?:,\d+)? @@| |@@|$)")
_FILE = re.compile(r"^\*\*\* (?P<what>Update|Add|Delete) File: (?P<path>.+?)\s*$")
_HEAD = re.compile(
    r"^(?:diff --git |index [0-9a-f]|(?:old|new) mode |new file mode |similarity index |"
    r"\*\*\* (?:Begin Patch|End Patch|End of File))"
)
_OTHERWISE = re.compile(
    r"^(?:deleted file mode |rename (?:from|to) |Binary files |\*\*\* Move to: )"
)
_NOWHERE = "/dev/null"


@dataclass(slots=True)
class FileDiff:
    """What a diff says of one file."""

    path: str
    is_new: bool = False
    hunks: list["Hunk"] = field(default_factory=list)


@dataclass(slots=True)
class Hunk:
    """One place of a diff: what stands there, and what is to."""

    line: int | None = None  # where it begins in the new file, as far as models can count
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)


def is_diff(lines: Sequence[str], info: str = "") -> bool:
    """Whether a block is a diff, by its language or by how it begins."""
    filled = [line for line in lines if line.strip()]
    if not filled:
        return False
    if info.partition(" ")[0].lower() in ("diff", "patch", "udiff"):
        return any(line.startswith(("+", "-", "*** ")) for line in filled)
    first, second = filled[0], filled[1] if len(filled) > 1 else ""
    return bool(
        first.startswith(("diff --git ", "*** Begin Patch", "*** Update File: ", "*** Add File: "))
        or (first.startswith("--- ") and second.startswith("+++ "))
        or (_HUNK.match(first) and any(line.startswith(("+", "-")) for line in filled))
    )


def read_diff(
    lines: Sequence[str], path: str | None, find: Callable[[str], str | None]
) -> tuple[list[FileDiff], list[str]]:
    """The files of a diff and what keeps it from being applied, for the model.

    ``path`` is the file that was named before it; ``find`` knows which file is meant by a path.
    """
    return _Reader(path, find).read(lines)


class _Reader:
    def __init__(self, path: str | None, find: Callable[[str], str | None]) -> None:
        self._named = path
        self._find = find
        self._files: list[FileDiff] = []
        self._errors: list[str] = []
        self._file: FileDiff | None = None
        self._hunk: Hunk | None = None
        self._empty = 0  # lines without a mark that may be the end of the diff

    def read(self, lines: Sequence[str]) -> tuple[list[FileDiff], list[str]]:
        """Go through all lines."""
        at = 0
        while at < len(lines):
            line = lines[at]
            following = lines[at + 1] if at + 1 < len(lines) else ""
            if line.startswith("--- ") and following.startswith("+++ "):
                self._begin(_bare(line[4:]), _bare(following[4:]))
                at += 1
            elif found := _FILE.match(line):
                self._begin_named(found["what"], found["path"])
            elif _OTHERWISE.match(line):
                self._errors.append(f"{line.strip()!r}: files can be neither removed nor renamed")
            elif _HEAD.match(line):
                self._hunk, self._empty = None, 0
                self._file = None if line.startswith("diff --git ") else self._file
            elif found := _HUNK.match(line):
                self._add_hunk(int(found["line"]) if found["line"] else None)
            else:
                self._take(line)
            at += 1
        return self._files, self._errors

    def _begin(self, old: str, new: str) -> None:
        if new == _NOWHERE:
            self._errors.append(f"{old}: a file cannot be removed")
        self._open(old if new == _NOWHERE else new, is_new=old == _NOWHERE)

    def _begin_named(self, what: str, path: str) -> None:
        if what == "Delete":
            self._errors.append(f"{path}: a file cannot be removed")
        self._open(path, is_new=what == "Add")
        if what == "Add":
            self._add_hunk(None)

    def _open(self, path: str, *, is_new: bool) -> None:
        bare = path[2:] if path.startswith(("a/", "b/")) else path
        found = self._find(path) or self._find(bare)
        self._file = FileDiff(found or bare, is_new)
        self._files.append(self._file)
        self._hunk, self._empty = None, 0

    def _add_hunk(self, line: int | None) -> None:
        if self._file is None:
            if self._named is None:
                self._errors.append("a diff has no path: write --- and +++ before its first @@")
                self._named = ""
            self._file = FileDiff(self._named)
            self._files.append(self._file)
        self._hunk, self._empty = Hunk(line), 0
        self._file.hunks.append(self._hunk)

    def _take(self, line: str) -> None:
        if line.startswith("\\"):  # no newline at the end of the file
            return
        if not line:
            self._empty += 1
            return
        if self._hunk is None:
            self._add_hunk(None)
        assert self._hunk is not None
        self._hunk.old += [""] * self._empty
        self._hunk.new += [""] * self._empty
        self._empty = 0
        mark, text = (line[0], line[1:]) if line[:1] in (" ", "+", "-") else (" ", line)
        if mark != "+":
            self._hunk.old.append(text)
        if mark != "-":
            self._hunk.new.append(text)


def _bare(path: str) -> str:
    """The path without the time behind it and without quotes."""
    return path.partition("\t")[0].strip().strip('"')
