"""Which elites the next job starts from and looks at; pure.

Every choice is made among a few elites drawn by position or rank, so that its cost does not grow
with the archive.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Protocol

from loreley.map_elites.cells import Grid
from loreley.map_elites.fitness import Estimate

_TOURNAMENT_SIZE = (
    6  # elites a tournament is held among (Goldberg & Deb 1991): the best of six wins
)
_EACH_RANK = 0.5  # the chance of the fittest, and of each next one among those that are left
_REACHES = (1, 2, 4)  # how many bins away a near elite is looked for, nearest first
_CELLS_AT_ONCE = 1_000  # with many axes already the next cells are more than can be asked for
_COMPARED = 50  # elites, the nearest of which will do where none is within reach


class BaseChoice(StrEnum):
    """How a base is chosen."""

    FITNESS = "fitness"  # by rank: the fittest half of the time, the second a quarter, and so on
    UNIFORM = "uniform"  # any
    CURIOSITY = "curiosity"  # among a few, the one whose children lately entered the archive


@dataclass(frozen=True, slots=True)
class Elite:
    """The best commit of one cell; a higher ``score`` is better."""

    cell: int
    commit: str
    score: float
    curiosity: float = 0.0
    error: float = 0.0  # standard error of the score; 0: not known

    @property
    def estimate(self) -> Estimate:
        """The score with its error."""
        return Estimate(self.score, self.error)


@dataclass(frozen=True, slots=True)
class Selection:
    """What one job works on."""

    base: str
    inspirations: tuple[str, ...]


class Population(Protocol):
    """The elites of one island, at positions from 0 without gaps."""

    def size(self) -> int:
        """How many there are."""
        ...

    def at(self, positions: Sequence[int]) -> list[Elite]:
        """The elites at these positions, in no order."""
        ...

    def in_cells(self, cells: Sequence[int]) -> list[Elite]:
        """The elites of these cells, as far as they are filled, in no order."""
        ...

    def ranked(self, rank: int) -> Elite:
        """The elite before which so many others come, the fittest first; equals by cell."""
        ...


@dataclass(frozen=True, slots=True)
class Sampler:
    """Chooses a base and inspirations; the same population and random state, the same choice."""

    grid: Grid
    shares: Mapping[str, float]  # of each `BaseChoice`
    near: int = 1
    far: int = 1

    def choose(self, population: Population, random: Random) -> Selection | None:
        """What the next job works on; None while there are no elites."""
        base = self._choose_base(population, random)
        if base is None:
            return None
        chosen = [base.commit]
        inspirations: list[Elite] = []
        for candidates, wanted in (
            (self._find_near(population, base, random), self.near),
            (_draw_elites(population, random, 2 * self.far + 1), self.far),
        ):
            others = [elite for elite in candidates if elite.commit not in chosen]
            picked = random.sample(others, min(wanted, len(others)))
            inspirations += picked
            chosen += [elite.commit for elite in picked]
        return Selection(base.commit, tuple(elite.commit for elite in inspirations))

    def _choose_base(self, population: Population, random: Random) -> Elite | None:
        ways = sorted(self.shares)
        way = random.choices(ways, [self.shares[way] for way in ways])[0]
        if way == BaseChoice.FITNESS:
            size = population.size()
            return population.ranked(_draw_rank(size, random)) if size else None
        candidates = _draw_elites(
            population, random, 1 if way == BaseChoice.UNIFORM else _TOURNAMENT_SIZE
        )
        if way == BaseChoice.CURIOSITY:
            return max(candidates, key=lambda elite: (elite.curiosity, elite.score), default=None)
        return max(candidates, key=lambda elite: elite.score, default=None)

    def _find_near(self, population: Population, base: Elite, random: Random) -> list[Elite]:
        for reach in _REACHES:
            if self.grid.count_around(reach) > _CELLS_AT_ONCE:
                break
            cells = self.grid.around(base.cell, reach)
            found = [elite for elite in population.in_cells(cells) if elite.cell != base.cell]
            if found:
                return sorted(found, key=lambda elite: elite.cell)
        drawn = _draw_elites(population, random, _COMPARED)
        others = [elite for elite in drawn if elite.cell != base.cell]
        steps = [self.grid.steps_between(base.cell, elite.cell) for elite in others]
        least = min(steps, default=0)
        return [elite for elite, away in zip(others, steps, strict=True) if away == least]


def _draw_rank(size: int, random: Random) -> int:
    """A rank below ``size``, each half as likely as the one before it."""
    rank = 0
    while rank < size - 1 and random.random() >= _EACH_RANK:
        rank += 1
    return rank


def _draw_elites(population: Population, random: Random, count: int) -> list[Elite]:
    """Up to ``count`` different elites, each equally likely, by cell."""
    size = population.size()
    positions = random.sample(range(size), min(count, size))
    return sorted(population.at(positions), key=lambda elite: elite.cell) if positions else []
