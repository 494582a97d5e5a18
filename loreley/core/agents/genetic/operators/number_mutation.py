"""Operators that change the numeric literals of a file."""

import math
from collections.abc import Callable, Sequence
from random import Random

from loreley.core.agents.genetic.operators.material import Material, Mutant
from loreley.core.agents.genetic.operators.step_sizes import (
    replace_number,
    scale_number,
    shift_number,
    step_integer,
    step_size,
)
from loreley.core.agents.genetic.source.literals import (
    Number,
    NumberLiteral,
    rewrite,
    write_number,
)

_PARAMETERS = 0.8  # how often only a constant with a name will do
_ANY_LITERAL = 0.15  # how often a long table counts by its length, not as one statement
_ONE_MORE = 0.6  # how often a literal that is shaken takes another one with it


def scale(material: Material, random: Random) -> Mutant | None:
    """Multiply a literal by a factor around one."""
    found = [literal for literal in material.find_literals() if literal.value]

    def change(literal: NumberLiteral) -> Number:
        size = step_size(literal, random) / abs(literal.value)
        return scale_number(literal.value, size, random)

    return _change_any(material, found, change, "scale", random)


def shift(material: Material, random: Random) -> Mutant | None:
    """Add a number around zero to a literal."""
    found = material.find_literals()
    return _change_any(material, found, lambda each: _shift(each, random), "shift", random)


def step(material: Material, random: Random) -> Mutant | None:
    """Count an integer up or down."""
    found = [literal for literal in material.find_literals() if isinstance(literal.value, int)]
    return _change_any(
        material, found, lambda each: step_integer(int(each.value), random), "step", random
    )


def negate(material: Material, random: Random) -> Mutant | None:
    """Turn the sign of a literal."""
    found = [literal for literal in material.find_literals() if literal.value]
    return _change_any(material, found, lambda each: -each.value, "negate", random)


def flip(material: Material, random: Random) -> Mutant | None:
    """Turn a bit of an integer around, one that it has or the next higher."""
    found = [literal for literal in material.find_literals() if isinstance(literal.value, int)]

    def change(literal: NumberLiteral) -> Number:
        value = int(literal.value)
        return value ^ 1 << random.randint(0, value.bit_length())

    return _change_any(material, found, change, "flip", random)


def replace(material: Material, random: Random) -> Mutant | None:
    """Put another constant of the file, or a round number, in the place of a literal."""
    found = material.find_literals()
    values = [literal.value for literal in found]
    return _change_any(
        material, found, lambda each: replace_number(each.value, values, random), "replace", random
    )


def shake(material: Material, random: Random) -> Mutant | None:
    """Move a few literals, wherever they stand, each by a step of its own size."""
    found = _find_fractions(material)
    some = [pick(found, random)]
    while random.random() < _ONE_MORE:
        some.append(pick(found, random))
    return _shift_all(material, [literal for literal in some if literal is not None], random)


def jitter(material: Material, random: Random) -> Mutant | None:
    """Move one, some or all literals of a statement, each by a step of its own size."""
    found = _find_fractions(material)
    first = pick(found, random)
    if first is None:
        return None
    together = [literal for literal in found if literal.statement == first.statement]
    return _shift_all(material, choose_some(together, random), random)


def exchange(material: Material, random: Random) -> Mutant | None:
    """Let two literals of one statement change places."""
    found = material.find_literals()
    first = pick(found, random)
    if first is None:
        return None
    others = [
        literal
        for literal in found
        if literal.statement == first.statement
        and literal.value != first.value
        and type(literal.value) is type(first.value)
    ]
    if not others:
        return None
    second = random.choice(others)
    values = {first: second.value, second: first.value}
    change = f"exchange {write_number(first.value)} with {write_number(second.value)}"
    return Mutant(rewrite(material.source, values), change)


def pick(found: Sequence[NumberLiteral], random: Random) -> NumberLiteral | None:
    """One literal, mostly a parameter; neither a long table hides the others nor they its many.

    None also where a parameter is wanted and the file has none: another file may.
    """
    wants_parameter = random.random() < _PARAMETERS
    some = [literal for literal in found if literal.named or not wants_parameter]
    if not some:
        return None
    if random.random() < _ANY_LITERAL:
        return random.choice(some)
    statement = random.choice(sorted({literal.statement for literal in some}))
    return random.choice([literal for literal in some if literal.statement == statement])


def choose_some(found: Sequence[NumberLiteral], random: Random) -> list[NumberLiteral]:
    """Some of the literals, at least one; any number of digits of the count is as likely."""
    count = math.ceil(len(found) ** random.random())
    return sorted(random.sample(found, count), key=lambda literal: literal.start)


def change_one(
    material: Material, literal: NumberLiteral, value: Number, verb: str
) -> Mutant | None:
    """The mutant in which one literal has a new value."""
    if value == literal.value:
        return None
    change = f"{verb} {write_number(literal.value)} to {write_number(value)}"
    return Mutant(rewrite(material.source, {literal: value}), change)


def change_many(
    material: Material, values: dict[NumberLiteral, Number], verb: str
) -> Mutant | None:
    """The mutant in which several literals have new values."""
    changed = {literal: value for literal, value in values.items() if value != literal.value}
    if len(changed) > 1:
        return Mutant(rewrite(material.source, changed), f"{verb} {len(changed)} numbers")
    for literal, value in changed.items():
        return change_one(material, literal, value, verb)
    return None


def _find_fractions(material: Material) -> list[NumberLiteral]:
    """The floating-point literals; all literals where there are none of these."""
    found = material.find_literals()
    return [each for each in found if isinstance(each.value, float)] or list(found)


def _shift_all(material: Material, some: Sequence[NumberLiteral], random: Random) -> Mutant | None:
    return change_many(material, {literal: _shift(literal, random) for literal in some}, "shift")


def _shift(literal: NumberLiteral, random: Random) -> Number:
    return shift_number(literal.value, step_size(literal, random), random)


def _change_any(
    material: Material,
    found: Sequence[NumberLiteral],
    change: Callable[[NumberLiteral], Number],
    verb: str,
    random: Random,
) -> Mutant | None:
    literal = pick(found, random)
    return None if literal is None else change_one(material, literal, change(literal), verb)
