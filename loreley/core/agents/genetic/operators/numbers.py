"""Operators that change the numeric literals of a file."""

import math
from collections.abc import Sequence
from random import Random

from loreley.core.agents.genetic.operators.material import Material, Mutant
from loreley.core.agents.genetic.operators.steps import (
    replaced,
    scaled,
    shifted,
    step_size,
    stepped,
)
from loreley.core.agents.genetic.source.numerals import (
    Number,
    Numeral,
    rewritten,
    written,
)

_PARAMETERS = 0.8  # how often only a constant with a name will do
_ANY_LITERAL = 0.15  # how often a long table counts by its length, not as one statement
_ONE_MORE = 0.6  # how often a literal that is shaken takes another one with it


def scale(material: Material, random: Random) -> Mutant | None:
    """Multiply a literal by a factor around one."""
    found = [numeral for numeral in material.numerals() if numeral.value]
    numeral = picked(found, random)
    if numeral is None:
        return None
    size = step_size(numeral, random) / abs(numeral.value)
    return one_changed(material, numeral, scaled(numeral.value, size, random), "scale")


def shift(material: Material, random: Random) -> Mutant | None:
    """Add a number around zero to a literal."""
    found = material.numerals()
    numeral = picked(found, random)
    if numeral is None:
        return None
    size = step_size(numeral, random)
    value = shifted(numeral.value, size, random)
    return one_changed(material, numeral, value, "shift")


def step(material: Material, random: Random) -> Mutant | None:
    """Count an integer up or down."""
    found = [numeral for numeral in material.numerals() if isinstance(numeral.value, int)]
    numeral = picked(found, random)
    if numeral is None:
        return None
    return one_changed(material, numeral, stepped(int(numeral.value), random), "step")


def negate(material: Material, random: Random) -> Mutant | None:
    """Turn the sign of a literal."""
    found = [numeral for numeral in material.numerals() if numeral.value]
    numeral = picked(found, random)
    if numeral is None:
        return None
    return one_changed(material, numeral, -numeral.value, "negate")


def flip(material: Material, random: Random) -> Mutant | None:
    """Turn a bit of an integer around, one that it has or the next higher."""
    found = [numeral for numeral in material.numerals() if isinstance(numeral.value, int)]
    numeral = picked(found, random)
    if numeral is None:
        return None
    value = int(numeral.value)
    return one_changed(
        material, numeral, value ^ 1 << random.randint(0, value.bit_length()), "flip"
    )


def replace(material: Material, random: Random) -> Mutant | None:
    """Put another constant of the file, or a round number, in the place of a literal."""
    found = material.numerals()
    numeral = picked(found, random)
    if numeral is None:
        return None
    value = replaced(numeral.value, [other.value for other in found], random)
    return one_changed(material, numeral, value, "replace")


def shake(material: Material, random: Random) -> Mutant | None:
    """Move a few literals, wherever they stand, each by a step of its own size."""
    found = _fractions(material)
    some = [picked(found, random)]
    while random.random() < _ONE_MORE:
        some.append(picked(found, random))
    return _all_shifted(material, [numeral for numeral in some if numeral is not None], random)


def jitter(material: Material, random: Random) -> Mutant | None:
    """Move one, some or all literals of a statement, each by a step of its own size."""
    found = _fractions(material)
    first = picked(found, random)
    if first is None:
        return None
    together = [numeral for numeral in found if numeral.statement == first.statement]
    return _all_shifted(material, chosen(together, random), random)


def exchange(material: Material, random: Random) -> Mutant | None:
    """Let two literals of one statement change places."""
    found = material.numerals()
    first = picked(found, random)
    if first is None:
        return None
    others = [
        numeral
        for numeral in found
        if numeral.statement == first.statement
        and numeral.value != first.value
        and type(numeral.value) is type(first.value)
    ]
    if not others:
        return None
    second = random.choice(others)
    values = {first: second.value, second: first.value}
    change = f"exchange {written(first.value)} with {written(second.value)}"
    return Mutant(rewritten(material.source, values), change)


def picked(found: Sequence[Numeral], random: Random) -> Numeral | None:
    """One numeral, mostly a parameter; neither a long table hides the others nor they its many.

    None also where a parameter is wanted and the file has none: another file may.
    """
    wants_parameter = random.random() < _PARAMETERS
    some = [numeral for numeral in found if numeral.named or not wants_parameter]
    if not some:
        return None
    if random.random() < _ANY_LITERAL:
        return random.choice(some)
    statement = random.choice(sorted({numeral.statement for numeral in some}))
    return random.choice([numeral for numeral in some if numeral.statement == statement])


def chosen(found: Sequence[Numeral], random: Random) -> list[Numeral]:
    """Some of the numerals, at least one; any number of digits of the count is as likely."""
    count = math.ceil(len(found) ** random.random())
    return sorted(random.sample(found, count), key=lambda numeral: numeral.start)


def one_changed(material: Material, numeral: Numeral, value: Number, verb: str) -> Mutant | None:
    """The mutant in which one literal has a new value."""
    if value == numeral.value:
        return None
    change = f"{verb} {written(numeral.value)} to {written(value)}"
    return Mutant(rewritten(material.source, {numeral: value}), change)


def many_changed(material: Material, values: dict[Numeral, Number], verb: str) -> Mutant | None:
    """The mutant in which several literals have new values."""
    changed = {numeral: value for numeral, value in values.items() if value != numeral.value}
    if len(changed) > 1:
        return Mutant(rewritten(material.source, changed), f"{verb} {len(changed)} numbers")
    for numeral, value in changed.items():
        return one_changed(material, numeral, value, verb)
    return None


def _fractions(material: Material) -> list[Numeral]:
    """The floating-point literals; all literals where there are none of these."""
    found = material.numerals()
    return [each for each in found if isinstance(each.value, float)] or list(found)


def _all_shifted(material: Material, some: Sequence[Numeral], random: Random) -> Mutant | None:
    values = {
        numeral: shifted(numeral.value, step_size(numeral, random), random) for numeral in some
    }
    return many_changed(material, values, "shift")
