"""Whether one commit is better than another, from pairs of measurements made side by side; pure.

Each pair measures both commits, in an order drawn anew by a fair coin. Where they are equally good
the sign of each difference is then as random as the coin, whatever the noise: heavy tails, drift
of a warming machine and jumps of its clock included (randomisation test, Fisher 1935). The rank
sum of the positive differences (Wilcoxon 1945) is held against its exact distribution under those
coins. The pairs are looked at several times, and each look may use up only a part of the error
that is allowed in all (alpha spending, Lan & DeMets 1983, added up by Bonferroni's inequality).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # most processes never ask, and its import takes time and memory
    import numpy

LOOKS = (10, 14, 19, 26, 35, 47, 63, 84, 110)
"""After how many pairs the question is asked: each a third more than the last."""
MOST_PAIRS = LOOKS[-1]
EXACT_PAIRS = 3
"""So many pairs without any noise decide at once."""
ALLOWED_ERROR = 0.025
"""How often, at most, a commit that is no better is called better."""
_HOPELESS_FROM = 0.25  # of the pairs; from then on a candidate that looks worse is given up


class Verdict(StrEnum):
    """What pairs say of a candidate."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not confirmed"


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much a candidate is better, in the unit of the metric; positive is better."""

    estimate: float  # Hodges & Lehmann 1963: the median of the pairwise means of the differences
    margin: float  # half the width of its 95 % interval; 0: there is no noise
    pairs: int

    @classmethod
    def of(cls, gains: Sequence[float]) -> "Difference":
        """The difference that these gains, at least one, show."""
        import numpy as np

        values = np.asarray(gains, dtype=float)
        first, second = np.triu_indices(len(values))
        means = np.sort((values[first] + values[second]) / 2)
        low, high = _interval(len(values))
        width = float(means[high] - means[low])
        return cls(float(np.median(means)), width / 2, len(values))


def decide(
    base: Sequence[float],
    candidate: Sequence[float],
    *,
    allowed_error: float = ALLOWED_ERROR,
) -> Verdict | None:
    """What the pairs measured so far say; None: measure more.

    ``base`` and ``candidate`` hold the two scores of each pair, higher is better, in the order in
    which they were measured. Asked after each further pair, up to `MOST_PAIRS`.
    """
    gains = [ours - theirs for theirs, ours in zip(base, candidate, strict=True)]
    count = len(gains)
    if count == EXACT_PAIRS and len(set(base)) == len(set(candidate)) == 1:
        return Verdict.CONFIRMED if gains[0] > 0 else Verdict.NOT_CONFIRMED
    if count not in LOOKS:
        return Verdict.NOT_CONFIRMED if count > MOST_PAIRS else None
    if chance_of(gains) <= _allowed_at(count, allowed_error):
        return Verdict.CONFIRMED
    if count == MOST_PAIRS:
        return Verdict.NOT_CONFIRMED
    hopeless = count >= _HOPELESS_FROM * MOST_PAIRS and chance_of(gains) > 0.5
    return Verdict.NOT_CONFIRMED if hopeless else None


def chance_of(gains: Sequence[float]) -> float:
    """How probable a rank sum of positive gains as large as this one is if signs are coins.

    The exact one-sided p-value of Wilcoxon's signed-rank test; equal sizes share their rank, gains
    of 0 are left out (Wilcoxon 1945). 1 where nothing is left.
    """
    import numpy as np

    values = np.asarray([gain for gain in gains if gain != 0], dtype=float)
    if not len(values):
        return 1.0
    doubled = _doubled_ranks(np.abs(values))
    observed = int(doubled[values > 0].sum())
    return float(_tail(tuple(sorted(doubled.tolist())), observed))


def _allowed_at(count: int, allowed_error: float) -> float:
    """The share of the error that a look may use up: as much as pairs were added since the last."""
    before = max((look for look in LOOKS if look < count), default=0)
    return allowed_error * (count - before) / MOST_PAIRS


def _doubled_ranks(sizes: "numpy.ndarray") -> "numpy.ndarray":
    """Twice the rank of each size, from 2; whole numbers where sizes are equal, too."""
    import numpy as np

    _, group, counts = np.unique(sizes, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (2 * last - counts + 1)[group]


@lru_cache(maxsize=256)
def _tail(ranks: tuple[int, ...], observed: int) -> float:
    """The probability that a sum of those ranks, each taken by a fair coin, reaches that much."""
    import numpy as np

    chances = np.zeros(sum(ranks) + 1)
    chances[0] = 1.0
    for rank in ranks:
        taken = np.zeros_like(chances)
        taken[rank:] = chances[:-rank]
        chances = (chances + taken) / 2
    return float(chances[observed:].sum())


@lru_cache(maxsize=256)
def _interval(count: int) -> tuple[int, int]:
    """Which of the sorted pairwise means bound the 95 % interval; all, where there are too few."""
    total = count * (count + 1) // 2
    ranks = tuple(range(1, count + 1))
    outside = 0
    while outside < ceil(total / 2) - 1 and _tail(ranks, total - outside - 1) <= 0.025:
        outside += 1
    return outside, total - 1 - outside
