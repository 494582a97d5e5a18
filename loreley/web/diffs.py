"""A unified diff as lines that can be shown; bounded however long it is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_QUOTED = re.compile(r'"b/((?:[^"\\]|\\.)*)"$')
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_ESCAPED = dict(zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True))
_LONGEST_LINE = 2_000


class DiffLineKind(StrEnum):
    """What a line of a diff says."""

    HUNK = "hunk"
    ADDED = "added"
    REMOVED = "removed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line with its numbers before and after, where it has them."""

    kind: DiffLineKind
    text: str
    old: int | None = None
    new: int | None = None


@dataclass(slots=True)
class DiffFile:
    """What changes in one file."""

    path: str
    note: str = ""  # what takes the place of lines: a binary file, a mode
    added: int = 0
    removed: int = 0
    lines: list[DiffLine] = field(default_factory=list)
    _old: int = 0  # the numbers of the next line, before and after
    _new: int = 0

    def add(self, line: str) -> None:
        """Take in a line that follows the file's first."""
        shown = line[:_LONGEST_LINE] + ("…" if len(line) > _LONGEST_LINE else "")
        if match := _HUNK.match(line):
            self._old, self._new = int(match[1]), int(match[2])
            self.lines.append(DiffLine(DiffLineKind.HUNK, shown))
        elif not self.lines:
            self._note(line)
        elif line.startswith("+"):
            self.lines.append(DiffLine(DiffLineKind.ADDED, shown[1:], None, self._new))
            self.added, self._new = self.added + 1, self._new + 1
        elif line.startswith("-"):
            self.lines.append(DiffLine(DiffLineKind.REMOVED, shown[1:], self._old, None))
            self.removed, self._old = self.removed + 1, self._old + 1
        elif line.startswith(" "):
            self.lines.append(DiffLine(DiffLineKind.SAME, shown[1:], self._old, self._new))
            self._old, self._new = self._old + 1, self._new + 1

    def _note(self, line: str) -> None:
        if line.startswith(("Binary files", "GIT binary")):
            self.note = ", ".join(filter(None, (self.note, "binary")))
        elif line.startswith(("new file", "deleted file", "old mode", "new mode")):
            self.note = ", ".join(filter(None, (self.note, line)))


@dataclass(frozen=True, slots=True)
class Diff:
    """The files that change; ``is_cut`` when there is more than is shown."""

    files: tuple[DiffFile, ...]
    is_cut: bool

    @property
    def added(self) -> int:
        """Lines added, of those shown."""
        return sum(file.added for file in self.files)

    @property
    def removed(self) -> int:
        """Lines removed, of those shown."""
        return sum(file.removed for file in self.files)


def parse_diff(text: str, *, most_lines: int) -> Diff:
    """The diff that git prints, up to so many lines; rubbish gives no files."""
    files: list[DiffFile] = []
    lines = text.split("\n", most_lines)
    is_cut = len(lines) > most_lines
    for kind, line in _mark_lines(lines[:most_lines]):
        if kind == "file":
            files.append(DiffFile(_parse_path(line)))
        elif kind == "cut":
            is_cut = True
        elif files:
            files[-1].add(line)
    return Diff(tuple(files), is_cut)


def _parse_path(line: str) -> str:
    """The file's path after the change; git quotes unusual ones as C does strings."""
    if match := _QUOTED.search(line):
        return _ESCAPE.sub(_unescape, match[1].encode()).decode("utf-8", "replace")
    names = line.removeprefix("diff --git ")
    before, after = names[: len(names) // 2], names[len(names) // 2 + 1 :]
    if before[2:] == after[2:]:  # a path may hold " b/" itself
        return after[2:]
    return names.rpartition(" b/")[2]


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8) & 0xFF if len(code) == 3 else _ESCAPED[code[0]]])


def _mark_lines(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if line.startswith("diff --git "):
            yield "file", line
        elif line.startswith("[cut: "):
            yield "cut", line
        else:
            yield "line", line
