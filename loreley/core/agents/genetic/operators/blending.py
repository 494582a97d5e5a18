"""Operators that mix the numbers of a file with those of the same file in other good commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from loreley.core.agents.genetic.operators.material import Mate, Material, Mutant
from loreley.core.agents.genetic.operators.numbers import chosen, many_changed
from loreley.core.agents.genetic.source.alignment import aligned
from loreley.core.agents.genetic.source.numerals import Number, Numeral, rounded


@dataclass(frozen=True, slots=True)
class Pair:
    """A literal of ours and the value that stands in its place in a mate."""

    ours: Numeral
    theirs: Number


def mix(material: Material, random: Random) -> Mutant | None:
    """Take some of a mate's numbers in the place of ours."""
    pairs = _differing(material, random)
    if not pairs:
        return None
    some = set(chosen([pair.ours for pair in pairs], random))
    return many_changed(
        material, {pair.ours: pair.theirs for pair in pairs if pair.ours in some}, "mix in"
    )


def blend(material: Material, random: Random) -> Mutant | None:
    """Move our numbers towards, beyond or away from a mate's, all by the same part of the way."""
    pairs = _differing(material, random)
    part = random.uniform(-0.5, 1.5)
    return many_changed(
        material, {pair.ours: _moved(pair.ours.value, pair.theirs, part) for pair in pairs}, "blend"
    )


def differ(material: Material, random: Random) -> Mutant | None:
    """Add a part of the difference of two mates to our numbers (differential evolution)."""
    if len(material.mates) < 2:
        return None
    first, second = random.sample(list(material.mates), 2)
    here = {pair.ours: pair.theirs for pair in paired(material, first)}
    there = {pair.ours: pair.theirs for pair in paired(material, second)}
    both = [numeral for numeral in here if numeral in there and here[numeral] != there[numeral]]
    if not both:
        return None
    part = random.gauss(0.0, 0.7)
    values = {
        numeral: _added(numeral.value, part * (here[numeral] - there[numeral]))
        for numeral in chosen(both, random)
    }
    return many_changed(material, values, "add a difference to")


def paired(material: Material, mate: Mate) -> list[Pair]:
    """Our literals with the mate's, on the lines that are equal but for numbers."""
    find = material.language.numerals
    mine = _Masked.of(material.source, find(material.source))
    other = _Masked.of(mate.source, find(mate.source))
    pairs: list[Pair] = []
    for block in aligned(mine.lines, other.lines):
        for line in range(block.lines):
            left, right = mine.numerals[block.ours + line], other.numerals[block.theirs + line]
            pairs += [Pair(a, b.value) for a, b in zip(left, right, strict=True)]
    return pairs


@dataclass(frozen=True, slots=True)
class _Masked:
    """A source as lines whose numbers are blanked, and the numerals of each line."""

    lines: Sequence[str]
    numerals: Sequence[Sequence[Numeral]]

    @classmethod
    def of(cls, source: str, found: Sequence[Numeral]) -> "_Masked":
        lines, by_line = [], []
        start = place = 0
        for line in source.splitlines(keepends=True):
            end, done, text = start + len(line), start, ""
            on_line = []
            while place < len(found) and found[place].start < end:
                numeral = found[place]
                mark = "\0i" if isinstance(numeral.value, int) else "\0f"
                text += source[done : numeral.start] + mark
                done = numeral.end
                on_line.append(numeral)
                place += 1
            lines.append(text + source[done:end])
            by_line.append(on_line)
            start = end
        return cls(lines, by_line)


def _differing(material: Material, random: Random) -> list[Pair]:
    if not material.mates:
        return []
    mate = random.choice(list(material.mates))
    return [pair for pair in paired(material, mate) if pair.ours.value != pair.theirs]


def _moved(ours: Number, theirs: Number, part: float) -> Number:
    return _added(ours, part * (theirs - ours))


def _added(value: Number, step: float) -> Number:
    if isinstance(value, int):
        return round(value + step)
    return rounded(value + step, step) + 0.0
