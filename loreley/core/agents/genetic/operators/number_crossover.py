"""Operators that mix the numbers of a file with those of the same file in other good commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from loreley.core.agents.genetic.operators.material import Mate, Material, Mutant
from loreley.core.agents.genetic.operators.number_mutation import change_many, choose_some
from loreley.core.agents.genetic.source.alignment import align
from loreley.core.agents.genetic.source.literals import Number, NumberLiteral, round_to_step


@dataclass(frozen=True, slots=True)
class LiteralPair:
    """A literal of ours and the value that stands in its place in a mate."""

    ours: NumberLiteral
    theirs: Number


def mix(material: Material, random: Random) -> Mutant | None:
    """Take some of a mate's numbers in the place of ours."""
    pairs = _find_differences(material, random)
    if not pairs:
        return None
    some = set(choose_some([pair.ours for pair in pairs], random))
    return change_many(
        material, {pair.ours: pair.theirs for pair in pairs if pair.ours in some}, "mix in"
    )


def blend(material: Material, random: Random) -> Mutant | None:
    """Move our numbers towards, beyond or away from a mate's, all by the same part of the way."""
    pairs = _find_differences(material, random)
    part = random.uniform(-0.5, 1.5)
    return change_many(
        material,
        {pair.ours: _move_towards(pair.ours.value, pair.theirs, part) for pair in pairs},
        "blend",
    )


def differ(material: Material, random: Random) -> Mutant | None:
    """Add a part of the difference of two mates to our numbers (differential evolution)."""
    if len(material.mates) < 2:
        return None
    first, second = random.sample(list(material.mates), 2)
    here = {pair.ours: pair.theirs for pair in pair_literals(material, first)}
    there = {pair.ours: pair.theirs for pair in pair_literals(material, second)}
    both = [literal for literal in here if literal in there and here[literal] != there[literal]]
    if not both:
        return None
    part = random.gauss(0.0, 0.7)
    values = {
        literal: _add(literal.value, part * (here[literal] - there[literal]))
        for literal in choose_some(both, random)
    }
    return change_many(material, values, "add a difference to")


def pair_literals(material: Material, mate: Mate) -> list[LiteralPair]:
    """Our literals with the mate's, on the lines that are equal but for numbers."""
    find = material.language.find_literals
    mine = _MaskedSource.of(material.source, find(material.source))
    other = _MaskedSource.of(mate.source, find(mate.source))
    pairs: list[LiteralPair] = []
    for block in align(mine.lines, other.lines):
        for line in range(block.lines):
            left, right = mine.literals[block.ours + line], other.literals[block.theirs + line]
            pairs += [LiteralPair(a, b.value) for a, b in zip(left, right, strict=True)]
    return pairs


@dataclass(frozen=True, slots=True)
class _MaskedSource:
    """A source as lines whose numbers are blanked, and the literals of each line."""

    lines: Sequence[str]
    literals: Sequence[Sequence[NumberLiteral]]

    @classmethod
    def of(cls, source: str, found: Sequence[NumberLiteral]) -> "_MaskedSource":
        lines, by_line = [], []
        start = place = 0
        for line in source.splitlines(keepends=True):
            end, done, text = start + len(line), start, ""
            on_line = []
            while place < len(found) and found[place].start < end:
                literal = found[place]
                mark = "\0i" if isinstance(literal.value, int) else "\0f"
                text += source[done : literal.start] + mark
                done = literal.end
                on_line.append(literal)
                place += 1
            lines.append(text + source[done:end])
            by_line.append(on_line)
            start = end
        return cls(lines, by_line)


def _find_differences(material: Material, random: Random) -> list[LiteralPair]:
    if not material.mates:
        return []
    mate = random.choice(list(material.mates))
    return [pair for pair in pair_literals(material, mate) if pair.ours.value != pair.theirs]


def _move_towards(ours: Number, theirs: Number, part: float) -> Number:
    return _add(ours, part * (theirs - ours))


def _add(value: Number, step: float) -> Number:
    if isinstance(value, int):
        return round(value + step)
    return round_to_step(value + step, step) + 0.0
