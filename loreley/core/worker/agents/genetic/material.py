"""What an operator is given, what it gives back, and how it stands in a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Mate:
    """The same file in another good commit, with their common ancestor where one is known."""

    source: str
    ancestor: str | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """One Python file that compiles, and what may be crossed or grafted into it."""

    source: str
    mates: Sequence[Mate] = ()
    donors: Sequence[str] = ()  # other Python sources that compile, to copy statements from


@dataclass(frozen=True, slots=True)
class Mutant:
    """Changed source, not yet known to compile, and the change in a few words."""

    source: str
    change: str  # "scale 0.7 to 0.61"


Apply = Callable[[Material, Random], Mutant | None]


@dataclass(frozen=True, slots=True)
class Operator:
    """A pure function from material and randomness to a mutant, or None where it finds no hold.

    Its chance to be picked is ``weight`` over the sum of the weights of the table.
    """

    name: str
    weight: float
    apply: Apply
    crosses: bool = False  # wants mates; pointless without
    grafts: bool = False  # makes use of donors
