"""The noise of a run in one phrase, and whether anything stands out of it."""

from collections.abc import Sequence

import pytest

from loreley.core.evaluation.evaluation import Metric
from loreley.core.evaluation.noise import Noise, describe_noise
from loreley.db.engine import Database
from loreley.map_elites.fitness import Term
from loreley.map_elites.objective import Objective
from loreley.views.overview import read_overview
from tests.evolved import Evolved

SECONDS = Objective("seconds", higher_is_better=False)


def described(samples: Sequence[float], unit: str | None = "s") -> Noise:
    return describe_noise(SECONDS, [Metric("seconds", samples[0], unit, False, tuple(samples))])


@pytest.mark.parametrize(
    ("samples", "text"),
    [
        ([0.300, 0.288, 0.312, 0.295, 0.318], "±0.012 s (4.1 %)"),
        ([7.0, 7.0, 7.0], "exact"),
        ([7.0], "not known: the root commit was measured once"),
        ([1.0, 1.5], "±0.35 s (28 %)"),
        ([-1.0, 0.0, 1.0], "±1 s"),  # there is nothing to be a share of
        ([0.1, 5.0], "±3.5 s (136 %)"),
        (
            [0.30, 0.31, 0.32, 0.34, 0.35],
            "±0.021 s (6.5 %); each more than the one before: it may drift",
        ),
        ([1.0, 1.1, 0.9, 1.05, 9.0], "±3.6 s (340 %); one of 5 far off: heavy-tailed"),
    ],
)
def test_noise_is_told_as_what_it_is(samples: list[float], text: str) -> None:
    assert described(samples).text == text


def test_noise_that_hides_all_but_large_gains_is_large() -> None:
    assert described([1.0, 1.5]).is_large
    assert not described([0.300, 0.288, 0.312]).is_large
    assert not described([7.0, 7.0]).is_large


def test_the_noise_of_a_sum_is_that_of_the_sums() -> None:
    objective = Objective(weights=(Term("a", 1.0), Term("b", -1.0)))
    a = Metric("a", 2.0, samples=(1.0, 2.0, 3.0))

    assert describe_noise(objective, [a, Metric("b", 1.0, samples=(0.0, 1.0, 2.0))]).text == "exact"
    assert describe_noise(objective, [a, Metric("b", 1.0)]).spread is None  # of a stage, once


def read(database: Database) -> Noise:
    overview = read_overview(database)
    assert overview is not None
    assert overview.noise is not None
    return overview.noise


def test_a_fitness_that_no_candidate_moves_is_told(database: Database) -> None:
    run = Evolved(database)
    run.root(1.0, samples=(1.0, 1.0, 1.0))
    for _ in range(3):
        run.child(1.0)
    assert read(database).text == "exact"

    run.child(1.0)
    noise = read(database)
    assert noise.text == "exact; none of 4 candidates has moved score"
    assert not noise.is_moved

    run.child(0.5)
    assert read(database) == Noise("exact", 0.0, 3, 0.0)


def test_gains_that_the_noise_may_explain_are_told(database: Database) -> None:
    run = Evolved(database)
    run.root(1.0, samples=(0.9, 1.0, 1.1))
    for score in (1.05, 0.9, 1.15, 1.0):
        run.child(score)
    assert read(database).text == ("±0.1 points (10 %); no candidate stands out of it so far")

    run.child(2.0)
    assert read(database).text == "±0.1 points (10 %)"


def test_before_the_root_is_judged_nothing_is_known(database: Database) -> None:
    Evolved(database)

    overview = read_overview(database)
    assert overview is not None
    assert overview.noise is None
