"""Whether a part of a change is as good as the whole, with made-up measurements."""

from collections.abc import Mapping
from random import Random

import pytest

from loreley.errors import EvaluationFailed
from loreley.ops.results.comparison import Exact, SideBySide

ROOT, WHOLE, PART = "root", "whole", "part"


class Measured:
    """Scores with noise around what each commit is worth; counts how often it is asked."""

    def __init__(self, worth: Mapping[str, float], noise: float, seed: int = 1) -> None:
        self._worth = worth
        self._noise = noise
        self._random = Random(seed)
        self.asked: list[str] = []

    def __call__(self, commit: str) -> float:
        self.asked.append(commit)
        return self._random.gauss(self._worth[commit], self._noise)


def side_by_side(measured: Measured, share: float = 1.0) -> SideBySide:
    return SideBySide(measured, ROOT, WHOLE, share, Random(5))


def fail(_commit: str) -> float:
    raise EvaluationFailed("the evaluation failed", reason="it crashed")


def test_without_noise_one_evaluation_that_reaches_the_score_is_enough() -> None:
    measured = Measured({PART: 2.0}, 0.0)

    assert Exact(measured, 2.0).ask(PART).is_enough
    assert not Exact(measured, 2.001).ask(PART).is_enough
    assert measured.asked == [PART, PART]


def test_a_part_that_is_as_good_is_enough_after_ten_rounds() -> None:
    measured = Measured({ROOT: 0.0, WHOLE: 1.0, PART: 1.0}, 0.1)

    answer = side_by_side(measured).ask(PART)

    assert answer.is_enough
    assert answer.difference is not None
    assert answer.difference.estimate == pytest.approx(1.0, abs=0.15)
    assert len(measured.asked) == 30


def test_a_part_that_has_lost_the_gain_is_given_up_after_five_rounds() -> None:
    measured = Measured({ROOT: 0.0, WHOLE: 1.0, PART: 0.0}, 0.1)

    assert not side_by_side(measured).ask(PART).is_enough
    assert len(measured.asked) == 15


def test_a_part_with_half_the_gain_is_enough_where_half_may_go() -> None:
    worth = {ROOT: 0.0, WHOLE: 1.0, PART: 0.5}

    assert not side_by_side(Measured(worth, 0.1)).ask(PART).is_enough
    assert side_by_side(Measured(worth, 0.1), share=0.4).ask(PART).is_enough


def test_a_needed_part_is_seldom_left_out_and_an_idle_one_mostly() -> None:
    needed = {ROOT: 0.0, WHOLE: 1.0, PART: 0.7}
    idle = {ROOT: 0.0, WHOLE: 1.0, PART: 1.0}
    lost = sum(side_by_side(Measured(needed, 0.2, n)).ask(PART).is_enough for n in range(100))
    left_out = sum(side_by_side(Measured(idle, 0.2, n)).ask(PART).is_enough for n in range(100))

    assert lost <= 20
    assert left_out >= 85


def test_each_round_is_measured_in_an_order_drawn_anew() -> None:
    measured = Measured({ROOT: 0.0, WHOLE: 1.0, PART: 1.0}, 0.1)
    side_by_side(measured).ask(PART)

    rounds = {tuple(measured.asked[start : start + 3]) for start in range(0, 30, 3)}
    assert len(rounds) > 2
    assert all(sorted(each) == [PART, ROOT, WHOLE] for each in rounds)


def test_a_part_that_fails_is_not_enough_and_says_why() -> None:
    for comparison in (Exact(fail, 1.0), SideBySide(fail, ROOT, WHOLE)):
        answer = comparison.ask(PART)
        assert (answer.is_enough, answer.reason) == (False, "it crashed")
