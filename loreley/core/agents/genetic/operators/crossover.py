"""Operators that carry lines over from the same file in other good commits."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from loreley.core.agents.genetic.operators.material import Mate, Material, Mutant
from loreley.core.agents.genetic.source.alignment import aligned


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines ``start`` to ``end`` of one text that another text has replaced by ``lines``."""

    start: int
    end: int
    lines: Sequence[str]

    def meets(self, other: "Hunk") -> bool:
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
    theirs, ours = _changes(material, mate)
    free = apart(theirs, ours)
    return _merged(mate, material, [*ours, *free], len(free)) if free else None


def recombine(material: Material, random: Random) -> Mutant | None:
    """Take each difference to a mate or leave it, by a coin of random weight.

    With a common ancestor only what the mate has changed is on offer; where both have changed
    the same lines, taking the mate's drops ours.
    """
    if not material.mates:
        return None
    mate = random.choice(list(material.mates))
    theirs, ours = _changes(material, mate)
    weight = random.random()
    taken = [hunk for hunk in theirs if random.random() < weight]
    if not taken and theirs:
        taken = [random.choice(theirs)]
    kept = apart(ours, taken)
    return _merged(mate, material, [*kept, *taken], len(taken)) if taken else None


def hunks(old: str, new: str) -> list[Hunk]:
    """What turns ``old`` into ``new``, in order, as finely as lines can be told apart."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    found: list[Hunk] = []
    i1 = j1 = 0
    for block in aligned(before, after):
        i2, j2 = block.ours, block.theirs
        if i2 - i1 == j2 - j1:
            found += [Hunk(i1 + n, i1 + n + 1, after[j1 + n : j1 + n + 1]) for n in range(i2 - i1)]
        elif i2 > i1 or j2 > j1:
            found.append(Hunk(i1, i2, after[j1:j2]))
        i1, j1 = i2 + block.lines, j2 + block.lines
    return found


def apart(some: Sequence[Hunk], others: Sequence[Hunk]) -> list[Hunk]:
    """Those of ``some`` that meet none of the others, which are in order and do not overlap."""
    ends = [hunk.end for hunk in others]
    found = []
    for hunk in some:
        place = bisect_left(ends, hunk.start)
        while place < len(others) and others[place].start <= hunk.end:
            if hunk.meets(others[place]):
                break
            place += 1
        else:
            found.append(hunk)
    return found


def applied(old: str, changes: Sequence[Hunk]) -> str:
    """``old`` with ``changes`` that do not overlap made to it."""
    lines = old.splitlines(keepends=True)
    pieces: list[str] = []
    done = 0
    for hunk in sorted(changes, key=lambda hunk: (hunk.start, hunk.end)):
        pieces += [*lines[done : hunk.start], *hunk.lines]
        done = hunk.end
    return "".join([*pieces, *lines[done:]])


def _changes(material: Material, mate: Mate) -> tuple[list[Hunk], list[Hunk]]:
    """The mate's changes and ours, to the common ancestor or else to our own text."""
    old = _old(material, mate)
    theirs, ours = hunks(old, mate.source), hunks(old, material.source)
    same = {(hunk.start, hunk.end, *hunk.lines) for hunk in ours}
    return [hunk for hunk in theirs if (hunk.start, hunk.end, *hunk.lines) not in same], ours


def _old(material: Material, mate: Mate) -> str:
    return material.source if mate.ancestor is None else mate.ancestor


def _merged(mate: Mate, material: Material, changes: Sequence[Hunk], count: int) -> Mutant | None:
    source = applied(_old(material, mate), changes)
    if source == material.source:
        return None
    return Mutant(source, f"take {count} change{'s' if count > 1 else ''} of an inspiration")
