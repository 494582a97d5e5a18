"""Operators that carry lines over from the same file in other good commits."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from loreley.core.agents.genetic.operators.material import Mate, Material, Mutant
from loreley.core.agents.genetic.source.alignment import align


@dataclass(frozen=True, slots=True)
class LineChange:
    """Lines ``start`` to ``end`` of one text that another text has replaced by ``lines``."""

    start: int
    end: int
    lines: Sequence[str]

    def overlaps(self, other: "LineChange") -> bool:
        """Whether the two change the same lines, or one adds lines at the edge of the other."""
        if self.start == self.end or other.start == other.end:
            return self.start <= other.end and other.start <= self.end
        return self.start < other.end and other.start < self.end


def merge(material: Material, random: Random) -> Mutant | None:
    """Make all changes of a mate since the common ancestor that do not meet changes of ours."""
    known = [mate for mate in material.mates if mate.ancestor is not None]
    if not known:
        return None
    mate = random.choice(known)
    theirs, ours = _compare(material, mate)
    free = without_overlaps(theirs, ours)
    return _merge(mate, material, [*ours, *free], len(free)) if free else None


def recombine(material: Material, random: Random) -> Mutant | None:
    """Take each difference to a mate or leave it, by a coin of random weight.

    With a common ancestor only what the mate has changed is on offer; where both have changed
    the same lines, taking the mate's drops ours.
    """
    if not material.mates:
        return None
    mate = random.choice(list(material.mates))
    theirs, ours = _compare(material, mate)
    weight = random.random()
    taken = [change for change in theirs if random.random() < weight]
    if not taken and theirs:
        taken = [random.choice(theirs)]
    kept = without_overlaps(ours, taken)
    return _merge(mate, material, [*kept, *taken], len(taken)) if taken else None


def find_changes(old: str, new: str) -> list[LineChange]:
    """What turns ``old`` into ``new``, in order, as finely as lines can be told apart."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    found: list[LineChange] = []
    i1 = j1 = 0
    for block in align(before, after):
        i2, j2 = block.ours, block.theirs
        if i2 - i1 == j2 - j1:
            found += [
                LineChange(i1 + n, i1 + n + 1, after[j1 + n : j1 + n + 1]) for n in range(i2 - i1)
            ]
        elif i2 > i1 or j2 > j1:
            found.append(LineChange(i1, i2, after[j1:j2]))
        i1, j1 = i2 + block.lines, j2 + block.lines
    return found


def without_overlaps(some: Sequence[LineChange], others: Sequence[LineChange]) -> list[LineChange]:
    """Those of ``some`` that meet none of the others, which are in order and do not overlap."""
    ends = [change.end for change in others]
    found = []
    for change in some:
        place = bisect_left(ends, change.start)
        while place < len(others) and others[place].start <= change.end:
            if change.overlaps(others[place]):
                break
            place += 1
        else:
            found.append(change)
    return found


def apply_changes(old: str, changes: Sequence[LineChange]) -> str:
    """``old`` with ``changes`` that do not overlap made to it."""
    lines = old.splitlines(keepends=True)
    pieces: list[str] = []
    done = 0
    for change in sorted(changes, key=lambda change: (change.start, change.end)):
        pieces += [*lines[done : change.start], *change.lines]
        done = change.end
    return "".join([*pieces, *lines[done:]])


def _compare(material: Material, mate: Mate) -> tuple[list[LineChange], list[LineChange]]:
    """The mate's changes and ours, to the common ancestor or else to our own text."""
    old = _find_origin(material, mate)
    theirs, ours = find_changes(old, mate.source), find_changes(old, material.source)
    same = {(change.start, change.end, *change.lines) for change in ours}
    return [
        change for change in theirs if (change.start, change.end, *change.lines) not in same
    ], ours


def _find_origin(material: Material, mate: Mate) -> str:
    return material.source if mate.ancestor is None else mate.ancestor


def _merge(
    mate: Mate, material: Material, changes: Sequence[LineChange], count: int
) -> Mutant | None:
    source = apply_changes(_find_origin(material, mate), changes)
    if source == material.source:
        return None
    return Mutant(source, f"take {count} change{'s' if count > 1 else ''} of an inspiration")
