"""How far a number moves, from coarse to fine.

A step is as likely to be of any order of magnitude between the number itself and a little below
its last written digit: 0.7 moves coarsely, 0.6134 also finely. As a step is written with no more
digits than it deserves, the digits carry the size of the steps that succeeded from parent to
child: step sizes adapt along a lineage, and the source is all the memory this takes.
"""

import math
from collections.abc import Sequence
from random import Random

from loreley.core.agents.genetic.source.literals import (
    LARGEST,
    Number,
    NumberLiteral,
    round_to_step,
)

_BELOW_LAST_DIGIT = 0.1
_ABOVE_NUMBER = 2.0
_ROUND_NUMBERS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 10.0)


def step_size(literal: NumberLiteral, random: Random) -> float:
    """The spread of a step for ``literal``; a zero is taken to be of the size of its last digit."""
    coarsest = (abs(literal.value) or literal.digit) * _ABOVE_NUMBER
    finest = min(literal.digit * _BELOW_LAST_DIGIT, coarsest)
    tilted = random.random() ** 3  # fine steps succeed more often, and would soon be all there is
    return math.exp(math.log(coarsest) * (1 - tilted) + math.log(finest) * tilted)


def shift_number(value: Number, size: float, random: Random) -> Number:
    """``value`` plus a number around zero; ``size`` is the spread."""
    moved = value + size * random.gauss(0.0, 1.0)
    return _round(value, moved, random) if isinstance(value, int) else _bound(value, moved)


def scale_number(value: Number, size: float, random: Random) -> Number:
    """``value`` times a factor around one; ``size`` is the spread of the factor's logarithm."""
    moved = value * math.exp(size * random.gauss(0.0, 1.0))
    return _round(value, moved, random) if isinstance(value, int) else _bound(value, moved)


def step_integer(value: int, random: Random) -> int:
    """``value`` one up or down, now and then by more."""
    distance = 1 if random.random() < 0.6 else math.ceil(10.0 ** random.uniform(0.0, 2.0))
    return value + random.choice((-1, 1)) * distance


def replace_number(value: Number, others: Sequence[Number], random: Random) -> Number:
    """Another constant of the program, a round number, or a plain fraction of ``value``."""
    choices = [*others, *_ROUND_NUMBERS, value / 2, value * 2, 1 - value]
    chosen = random.choice(choices)
    return round(chosen) if isinstance(value, int) else _bound(value, float(chosen))


def _round(value: int, moved: float, random: Random) -> int:
    if not abs(moved) < LARGEST or round(moved) == value:
        return step_integer(value, random)
    return round(moved)


def _bound(value: float, moved: float) -> float:
    if not abs(moved) < LARGEST:
        return value
    return round_to_step(moved, moved - value) + 0.0
