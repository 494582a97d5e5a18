"""Steps: how far numbers move, and how the digits of a number carry the size of its steps."""

from random import Random
from statistics import median

from loreley.core.agents.genetic.operators.step_sizes import shift_number, step_integer, step_size
from loreley.core.agents.genetic.source.literals import round_to_step
from loreley.core.agents.genetic.source.python_literals import find_python_literals

_SEEDS = range(300)


def sizes(text: str) -> list[float]:
    [literal] = find_python_literals(f"X = {text}\n")
    return [step_size(literal, Random(seed)) for seed in _SEEDS]


def test_a_number_with_more_digits_moves_more_finely() -> None:
    medians = [median(sizes(literal)) for literal in ("0.7", "0.71", "0.713", "0.71342")]

    assert medians == sorted(medians, reverse=True)
    assert medians[0] > 2 * medians[-1]


def test_steps_reach_from_the_number_to_below_its_last_digit() -> None:
    found = sizes("0.713")

    assert 0.5 < max(found) <= 1.426 * 1.01
    assert 0.0001 * 0.99 <= min(found) < 0.01


def test_a_zero_moves_by_its_last_digit() -> None:
    assert 0.01 < median(sizes("0.0")) <= 0.2
    assert max(sizes("0.000")) <= 0.002


def test_a_fine_step_leaves_the_digits_it_needs_and_a_coarse_one_takes_them_back() -> None:
    fine = [len(repr(shift_number(0.5, 0.001, Random(seed)))) for seed in _SEEDS]
    coarse = [len(repr(shift_number(0.51234567, 0.1, Random(seed)))) for seed in _SEEDS]

    assert median(fine) >= len("0.5012") - 1
    assert median(coarse) < len("0.51234567")


def test_an_integer_stays_one_and_always_moves() -> None:
    for seed in _SEEDS:
        assert step_integer(7, Random(seed)) != 7
        moved = shift_number(7, 0.01, Random(seed))
        assert isinstance(moved, int)
        assert moved != 7


def test_rounding_keeps_what_a_step_has_changed() -> None:
    assert round_to_step(0.123456789, 0.01) == 0.123
    assert round_to_step(123456.789, 1000.0) == 123500.0
    assert round_to_step(0.5, 0.0) == 0.5
    assert round_to_step(float("inf"), 1.0) == float("inf")
