"""How often pairs of measurements call a commit better: where it is, and where it is not."""

from collections.abc import Callable, Sequence
from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loreley.core.evaluation.paired_test import (
    EXACT_PAIRS,
    LOOKS,
    MOST_PAIRS,
    Difference,
    Verdict,
    chance_of,
    decide,
)
from tests.figures import Figure

RUNS = 400
Noise = Callable[[Random, int], float]


def normal(random: Random, _number: int) -> float:
    """A tenth of the value."""
    return random.gauss(0.0, 0.1)


def heavy_tailed(random: Random, _number: int) -> float:
    """Cauchy's: it has neither mean nor spread."""
    return 0.05 * random.gauss(0.0, 1.0) / abs(random.gauss(0.0, 1.0))


def skewed(random: Random, _number: int) -> float:
    """Never faster than it can be, and sometimes much slower."""
    return 0.05 * random.lognormvariate(0.0, 1.0)


def drifting(random: Random, number: int) -> float:
    """A machine that warms: half as slow again in the end."""
    return 0.5 * number / (2 * MOST_PAIRS) + random.gauss(0.0, 0.03)


def jumping(random: Random, number: int) -> float:
    """Another program comes and goes, and a clock jumps once."""
    return 0.3 * (number // 23 % 2) + random.gauss(0.0, 0.05) + (1e6 if number == 40 else 0.0)


def compare(noise: Noise, gain: float, random: Random) -> tuple[Verdict, int]:
    """The verdict on a commit that takes ``gain`` less of a second, and the pairs it took."""
    base: list[float] = []
    candidate: list[float] = []
    while True:
        scores = {}
        order = [False, True] if random.random() < 0.5 else [True, False]
        for place, is_candidate in enumerate(order):
            seconds = 1.0 + noise(random, 2 * len(base) + place)
            scores[is_candidate] = -seconds * (1.0 - gain * is_candidate)
        base.append(scores[False])
        candidate.append(scores[True])
        if verdict := decide(base, candidate):
            return verdict, len(base)


def share_confirmed(noise: Noise, gain: float, figure: Figure) -> tuple[float, float]:
    """The share of runs that confirm the gain, and the mean number of evaluations of a run."""
    random = Random(20_261_126)
    outcomes = [compare(noise, gain, random) for _ in range(RUNS)]
    share = sum(verdict is Verdict.CONFIRMED for verdict, _ in outcomes) / RUNS
    evaluations = 2 * sum(pairs for _, pairs in outcomes) / RUNS
    figure(
        f"confirmation, {noise.__name__} noise, a gain of {gain:.0%}",
        f"{share:.1%} of {RUNS} runs confirmed, {evaluations:.0f} evaluations on average",
    )
    return share, evaluations


@pytest.mark.slow
@pytest.mark.parametrize("noise", [normal, heavy_tailed, skewed, drifting, jumping])
def test_pure_noise_is_confirmed_in_at_most_one_run_of_twenty(noise: Noise, figure: Figure) -> None:
    share, _ = share_confirmed(noise, 0.0, figure)

    assert share <= 0.05


@pytest.mark.slow
def test_a_twentieth_under_noise_of_a_tenth_is_confirmed_in_four_runs_of_five(
    figure: Figure,
) -> None:
    share, evaluations = share_confirmed(normal, 0.05, figure)

    assert share >= 0.8
    assert evaluations <= 2 * MOST_PAIRS


def test_a_large_gain_is_clear_at_the_first_look() -> None:
    verdict, pairs = compare(normal, 0.9, Random(1))

    assert (verdict, pairs) == (Verdict.CONFIRMED, LOOKS[0])


def test_a_commit_that_is_clearly_worse_is_given_up_early() -> None:
    verdict, pairs = compare(normal, -0.3, Random(1))

    assert verdict is Verdict.NOT_CONFIRMED
    assert pairs < MOST_PAIRS / 2


@pytest.mark.parametrize(
    ("base", "candidate", "expected"),
    [
        (1.0, 1.5, Verdict.CONFIRMED),
        (1.0, 1.0, Verdict.NOT_CONFIRMED),
        (1.0, 0.5, Verdict.NOT_CONFIRMED),
    ],
)
def test_a_metric_without_noise_decides_after_three_pairs(
    base: float, candidate: float, expected: Verdict
) -> None:
    for count in range(1, EXACT_PAIRS):
        assert decide([base] * count, [candidate] * count) is None
    assert decide([base] * EXACT_PAIRS, [candidate] * EXACT_PAIRS) is expected


def test_a_candidate_noisier_than_the_root_is_measured_on() -> None:
    assert decide([1.0] * 3, [1.0, 1.5, 1.2]) is None


def test_more_pairs_than_the_most_confirm_nothing() -> None:
    assert decide([0.0] * (MOST_PAIRS + 1), [1.0, 2.0] * (MOST_PAIRS // 2) + [1.0]) is (
        Verdict.NOT_CONFIRMED
    )


@pytest.mark.parametrize("gains", [[1.0, -2.0, 3.0], [1.0, 1.0, -1.0, 2.0], [0.0, 4.0, -1.5, 2.5]])
def test_the_chance_counts_every_way_the_coins_can_fall(gains: Sequence[float]) -> None:
    sizes = [abs(gain) for gain in gains if gain]
    ordered = sorted(sizes)
    ranks = [
        sum(place for place, other in enumerate(ordered, 1) if other == size) / ordered.count(size)
        for size in sizes
    ]

    def rank_sum(signs: Sequence[bool]) -> float:
        return sum(rank for rank, positive in zip(ranks, signs, strict=True) if positive)

    observed = rank_sum([gain > 0 for gain in gains if gain])
    ways = list(product([False, True], repeat=len(sizes)))

    assert chance_of(gains) == pytest.approx(
        sum(rank_sum(signs) >= observed for signs in ways) / len(ways)
    )


def test_no_difference_at_all_leaves_no_doubt_that_there_is_none() -> None:
    assert chance_of([0.0, 0.0]) == 1.0
    assert chance_of([]) == 1.0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_the_difference_lies_among_the_gains(gains: list[float]) -> None:
    found = Difference.of(gains)

    assert min(gains) <= found.estimate <= max(gains)
    assert 0 <= found.margin <= (max(gains) - min(gains)) / 2
    assert found.pairs == len(gains)


def test_the_margin_covers_the_true_difference_nineteen_times_in_twenty() -> None:
    random = Random(7)
    covered = 0
    for _ in range(RUNS):
        found = Difference.of([random.gauss(0.3, 1.0) for _ in range(30)])
        covered += abs(found.estimate - 0.3) <= found.margin

    assert covered / RUNS >= 0.92
