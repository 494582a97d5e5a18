"""Scores, constraints, and what counts as better beyond the noise."""

import pytest

from loreley.map_elites.fitness import Constraint, Estimate, Fitness, Infeasible, Term


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("overlap <= 0", Constraint("overlap", True, 0.0)),
        ("tests passed>=1e2", Constraint("tests passed", False, 100.0)),
        (" a<=b <= -1 ", Constraint("a<=b", True, -1.0)),
    ],
)
def test_constraints_are_read_as_people_write_them(text: str, expected: Constraint) -> None:
    assert Constraint.parse(text) == expected


@pytest.mark.parametrize("text", ["", "a", "a < 1", "<= 1", "a <=", "a <= x"])
def test_what_is_no_constraint_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Constraint.parse(text)


def test_a_weighted_sum_adds_up_scores_and_errors() -> None:
    fitness = Fitness([Term("speed", 2.0), Term("memory", -0.5)])

    judged = fitness.judge({"speed": 3.0, "memory": 4.0}, {"speed": 0.1, "memory": 0.6})

    assert isinstance(judged, Estimate)
    assert judged.score == 4.0
    assert judged.error == pytest.approx((0.2**2 + 0.3**2) ** 0.5)


def test_an_error_too_small_to_be_squared_counts_as_none() -> None:
    fitness = Fitness([Term("speed", 1.0)])

    assert fitness.judge({"speed": 3.0}, {"speed": 1e-170}) == Estimate(3.0, 0.0)
    assert fitness.judge({"speed": 3.0}, {"speed": 1e-90}) == Estimate(3.0, 1e-90)


def test_a_missing_metric_has_no_score() -> None:
    judged = Fitness([Term("speed", 1.0)]).judge({"size": 1.0}, {})

    assert judged == Infeasible("the evaluation lacks 'speed'")


@pytest.mark.parametrize(("value", "feasible"), [(0.0, True), (0.1, False)])
def test_a_constraint_that_does_not_hold_takes_the_score_away(value: float, feasible: bool) -> None:
    fitness = Fitness([Term("speed", 1.0)], [Constraint.parse("overlap <= 0")])

    judged = fitness.judge({"speed": 1.0, "overlap": value}, {})

    assert isinstance(judged, Estimate) is feasible


def test_a_constraint_on_a_metric_that_is_not_reported_does_not_hold() -> None:
    fitness = Fitness([Term("speed", 1.0)], [Constraint.parse("overlap <= 0")])

    judged = fitness.judge({"speed": 1.0}, {})

    assert judged == Infeasible("overlap <= 0 does not hold: it is not reported")


def test_without_known_errors_any_gain_is_better() -> None:
    assert Estimate(1.0 + 1e-12).beats(Estimate(1.0), confidence=2)
    assert Estimate(3e-200).beats(Estimate(1e-200), confidence=2)
    assert not Estimate(1.0).beats(Estimate(1.0), confidence=2)


def test_a_gain_within_the_noise_of_both_is_not_better() -> None:
    assert not Estimate(1.2, 0.1).beats(Estimate(1.0, 0.1), confidence=2)
    assert Estimate(1.3, 0.1).beats(Estimate(1.0, 0.1), confidence=2)


@pytest.mark.parametrize("value", [1.1e100, -1e308])
def test_a_metric_that_explodes_has_no_fitness(value: float) -> None:
    """Squared, as comparisons square it, it would be no number to a database any more."""
    judged = Fitness([Term("loss", -1.0)]).judge({"loss": value}, {})

    assert isinstance(judged, Infeasible)
    assert "too large" in judged.reason


def test_sums_and_errors_that_explode_have_no_fitness_either() -> None:
    both = Fitness([Term("a", 1e300), Term("b", 1e300)])

    assert isinstance(both.judge({"a": 1e300, "b": -1e300}, {}), Infeasible)
    assert isinstance(both.judge({"a": 0.0, "b": 0.0}, {"a": 1e300}), Infeasible)
