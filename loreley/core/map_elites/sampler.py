"""Which elites the next job starts from and looks at; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

BEST_SHARE = 0.5  # of the jobs start from one of the fittest elites, the rest from any cell
FITTEST = 5
INSPIRATIONS = 2


@dataclass(frozen=True, slots=True)
class Elite:
    """The best commit of one cell; a higher ``score`` is better."""

    cell: int
    commit: str
    score: float


@dataclass(frozen=True, slots=True)
class Choice:
    """What one job works on."""

    base: str
    inspirations: tuple[str, ...]


def choose(elites: Sequence[Elite], random: Random) -> Choice:
    """Pick a base and inspirations from at least one elite; equal input gives equal output."""
    ordered = sorted(elites, key=lambda elite: (-elite.score, elite.cell))
    pool = ordered[:FITTEST] if random.random() < BEST_SHARE else ordered
    base = random.choice(pool)
    others = [elite for elite in ordered if elite.commit != base.commit]
    inspirations = random.sample(others, min(INSPIRATIONS, len(others)))
    return Choice(base.commit, tuple(elite.commit for elite in inspirations))
