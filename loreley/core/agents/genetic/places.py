"""Where a change was made, in names that outlive it, and how likely a metric feels it."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from loreley.core.jobs import Tries

_MOST_READ = 100
_MOST_SUSPECTS = 3
_LEAST_CHANCE = 0.05  # no place is ever given up
_NEVER_TRIED = Tries()


@dataclass(frozen=True, slots=True)
class Line:
    """A changed line, and the block around it."""

    block: str
    line: str


@dataclass(frozen=True, slots=True)
class Places:
    """The places of one change, by name: its file, its lines, and the operator in its file."""

    file: str
    operator: str
    lines: tuple[Line, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Those to which it is owed when a metric moves: where more was changed, to no one line."""
        blocks = {each.block for each in self.lines}
        lines = {each.line for each in self.lines}
        inner = [*(blocks if len(blocks) == 1 else ()), *(lines if len(lines) == 1 else ())]
        return (self.file, self.operator, *inner)

    @property
    def shared_names(self) -> tuple[str, ...]:
        """Those of the others that are under suspicion when none moves; none of a wide change."""
        if len(self.lines) > _MOST_SUSPECTS:
            return ()
        return tuple(name for name in self.all_names if name not in self.names)

    @property
    def all_names(self) -> tuple[str, ...]:
        """All of them."""
        inner = {name for each in self.lines for name in (each.block, each.line)}
        return (self.file, self.operator, *sorted(inner))

    def chance(self, tries: Mapping[str, Tries]) -> float:
        """How likely a metric moves, by what is known of the places; of an untried one certain.

        What is known of a file stands for its blocks as long as little is known of these, and so
        on down to the line.
        """
        of_file = _share(tries, self.file, 1.0)
        of_lines = [
            _share(tries, each.line, _share(tries, each.block, of_file)) for each in self.lines
        ]
        of_place = max(of_lines, default=of_file)
        return max(_LEAST_CHANCE, of_place * _share(tries, self.operator, 1.0))


def find_places(path: str, old: str, new: str, operator: str) -> Places:
    """The places in ``old`` that a change of a file touches.

    A line is known by what it holds beside numbers and blanks, its block by the line above that is
    not indented: both stay the same when the code around them moves.
    """
    before, after = old.splitlines(), new.splitlines()
    # Not by SequenceMatcher alone: it takes long for long files, most of which is the same.
    head = _count_common(before, after)
    tail = _count_common(before[head:][::-1], after[head:][::-1])
    inner = SequenceMatcher(
        None, before[head : len(before) - tail], after[head : len(after) - tail], autojunk=False
    )
    numbers: list[int] = []
    for tag, start, end, _, _ in inner.get_opcodes():
        if (
            tag != "equal" and len(numbers) < _MOST_READ
        ):  # where something is put in, the line above stands for it
            numbers += range(head + start, head + end) if end > start else [head + start - 1]
    lines = tuple(
        Line(
            _name(path, "block", _find_block(before, number)),
            _name(path, _find_block(before, number), _strip(before, number)),
        )
        for number in numbers[:_MOST_READ]
    )
    return Places(_name(path), _name(path, "operator", operator), lines)


def _share(tries: Mapping[str, Tries], place: str, expected: float) -> float:
    known = tries.get(place, _NEVER_TRIED)
    return (known.moved + expected) / (known.changed + 1)


def _count_common(first: Sequence[str], second: Sequence[str]) -> int:
    same = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        same += 1
    return same


def _find_block(lines: Sequence[str], number: int) -> str:
    for above in range(min(number, len(lines) - 1), -1, -1):
        line = lines[above]
        if line[:1].isalpha() or line[:1] in ("_", "@", "#", "<"):
            return _strip(lines, above)
    return ""


def _strip(lines: Sequence[str], number: int) -> str:
    line = lines[number] if 0 <= number < len(lines) else ""
    return " ".join(re.sub(r"[0-9][0-9_.]*(?:[eE][-+]?[0-9]+)?", "0", line).split())


def _name(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
