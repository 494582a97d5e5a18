"""A long file in parts that can be shown by themselves; pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_DEFINITION = re.compile(
    r"^(?P<indent>[ \t]*)"
    r"(?:(?:export|default|public|private|protected|internal|static|final|async|"
    r"abstract|pub(?:\([a-z]+\))?|inline|extern|unsafe|virtual|override|data|sealed)[ \t]+)*"
    r"(?:def|class|func|function\*?|fn|fun|struct|enum|union|trait|impl|interface|module|mod|"
    r"namespace|type|record|object|macro|proc|sub)[ \t]+(?:\([^)\n]*\)[ \t]*)?"
    r"(?P<name>[A-Za-z_$][\w$.]*)",
    re.MULTILINE,
)
_ASSIGNED = re.compile(r"^(?P<name>[A-Za-z_]\w*)[ \t]*(?::[^=\n]+)?=", re.MULTILINE)
_BELONGS_BELOW = re.compile(r"^\s*(?:@|#|//|/\*|\*|///|--)")
_LONGEST_LINES = 60
_SHORTEST_LINES = 6


@dataclass(frozen=True, slots=True)
class Part:
    """Lines of a file, counted from 0; ``end`` is the first that is none of them."""

    start: int
    end: int
    name: str = ""  # of what is defined there first
    owner: str = ""  # of the definition around it


def lines_of(text: str) -> list[str]:
    """The lines of a file, without the breaks between them."""
    return text.removesuffix("\n").split("\n")


def split_lines(lines: Sequence[str]) -> list[Part]:
    """The file in parts, all of its lines in one of them; each definition begins one.

    Short neighbours are one part, and a long definition is several.
    """
    return list(_name(lines, _shorten(lines, _merge(_cut_at_definitions(lines), len(lines)))))


def find_definitions(text: str) -> frozenset[str]:
    """The names of what is defined in a text, as far as its lines tell."""
    found = (*_DEFINITION.finditer(text), *_ASSIGNED.finditer(text))
    return frozenset(match["name"] for match in found)


def _cut_at_definitions(lines: Sequence[str]) -> list[int]:
    starts = [0]
    for at, line in enumerate(lines):
        is_block = line[:1].strip() and at and not lines[at - 1].strip()
        if not is_block and not _DEFINITION.match(line):
            continue
        start = at
        while start and _BELONGS_BELOW.match(lines[start - 1]):
            start -= 1
        if start > starts[-1]:
            starts.append(start)
    return starts


def _merge(starts: Sequence[int], end: int) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, stop in zip(starts, [*starts[1:], end], strict=True):
        if merged and merged[-1][1] - merged[-1][0] < _SHORTEST_LINES:
            merged[-1] = (merged[-1][0], stop)
        else:
            merged.append((start, stop))
    return merged


def _shorten(lines: Sequence[str], blocks: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for start, end in blocks:
        at = start
        while end - at > _LONGEST_LINES:
            least = at + _LONGEST_LINES // 2
            blank = [n for n in range(least, at + _LONGEST_LINES) if not lines[n].strip()]
            stop = blank[-1] + 1 if blank else at + _LONGEST_LINES
            yield at, stop
            at = stop
        if end > at:
            yield at, end


def _name(lines: Sequence[str], blocks: Iterator[tuple[int, int]]) -> Iterator[Part]:
    around: list[tuple[int, str]] = []  # indentation and name of the open definitions
    for start, end in blocks:
        name = owner = ""
        first = next((line for line in lines[start:end] if line.strip()), "")
        if not _BELONGS_BELOW.match(first) and not _DEFINITION.match(first):
            depth = _indent(first)
            owner = ".".join(n for indent, n in around if indent < depth)
        for line in lines[start:end]:
            match = _DEFINITION.match(line)
            if match is None:
                continue
            depth = len(match["indent"])
            around = [each for each in around if each[0] < depth]
            if not name:
                name = match["name"]
                owner = ".".join(n for _, n in around)
            around.append((depth, match["name"]))
        yield Part(start, end, name, owner)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
