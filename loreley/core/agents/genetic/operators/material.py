"""What an operator is given, what it gives back, and how it stands in a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from loreley.core.agents.genetic.source.languages import PYTHON, Language
from loreley.core.agents.genetic.source.literals import NumberLiteral


@dataclass(frozen=True, slots=True)
class Mate:
    """The same file in another good commit, with their common ancestor where one is known."""

    source: str
    ancestor: str | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """One file that its language accepts, and what may be crossed or grafted into it."""

    source: str
    mates: Sequence[Mate] = ()
    donors: Sequence[str] = ()  # other sources of the language, to copy statements from
    language: Language = PYTHON

    def find_literals(self) -> Sequence[NumberLiteral]:
        """The numeric literals of the source."""
        return self.language.find_literals(self.source)


@dataclass(frozen=True, slots=True)
class Mutant:
    """Changed source, not yet known to be accepted, and the change in a few words."""

    source: str
    change: str  # "scale 0.7 to 0.61"


Apply = Callable[[Material, Random], Mutant | None]


@dataclass(frozen=True, slots=True)
class Operator:
    """A pure function from material and randomness to a mutant, or None where nothing fits.

    Its chance to be drawn is ``weight`` over the sum of the weights of the table. What is done
    with a syntax tree of Python's is done with tokens or lines by ``apply_to_text`` in other
    languages. In data there are no statements or operations.
    """

    name: str
    weight: float
    apply: Apply
    apply_to_text: Apply | None = None
    crosses: bool = False  # wants mates; pointless without
    grafts: bool = False  # makes use of donors
    suits_data: bool = True

    def mutant(self, material: Material, random: Random) -> Mutant | None:
        """What the operator makes of the material."""
        if material.language.is_data and not self.suits_data:
            return None
        is_python = material.language is PYTHON
        apply = self.apply if is_python or self.apply_to_text is None else self.apply_to_text
        return apply(material, random)
