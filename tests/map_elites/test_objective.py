"""What is sought: scores, directions, and the grid that tells candidates apart."""

import pytest

from loreley.config import Settings
from loreley.map_elites.cells import Grid, Measure
from loreley.map_elites.fitness import Constraint, Estimate, Infeasible, Term
from loreley.map_elites.objective import Objective


def test_an_experiment_of_an_old_database_has_the_objective_of_the_settings_it_began_with() -> None:
    search = {
        "mapelites_fitness_metric": "loss",
        "mapelites_fitness_higher_is_better": False,
        "mapelites_fitness_weights": [],
        "mapelites_constraints": ["tests >= 1"],
        "mapelites_measures": ["size:0:10:5"],
        "mapelites_islands": 2,
    }
    settings = Settings(**search)  # type: ignore[arg-type]

    objective = Objective.from_search(search)

    assert objective.judge({"loss": 3.0, "tests": 1.0}, {}) == Estimate(-3.0)
    assert objective.grid == settings.objective.grid == Grid((Measure("size", 0.0, 10.0, 5),))
    assert (objective.terms, objective.constraints) == (
        settings.objective.terms,
        settings.objective.constraints,
    )


def test_an_experiment_without_named_measures_has_the_axes_of_the_code() -> None:
    search = {"mapelites_descriptor_axes": 2, "mapelites_descriptor_bins": 10}

    grid = Objective.from_search(search).grid

    assert [measure.name for measure in grid.measures] == ["component_1", "component_2"]
    assert grid.cells == 100


@pytest.mark.parametrize(("higher", "gain"), [(True, 2.0), (False, -2.0)])
def test_a_fitness_is_in_the_direction_of_its_metric(higher: bool, gain: float) -> None:
    objective = Objective("score", higher_is_better=higher)

    judged = objective.judge({"score": 3.0}, {})

    assert isinstance(judged, Estimate)
    assert objective.fitness(judged.score) == 3.0
    assert objective.score(3.0) == judged.score
    assert objective.gain(3.0, 1.0) == gain
    assert objective.gain(3.0, None) is None
    assert objective.directions == {"score": higher}


def test_a_fitness_of_nothing_has_no_sign() -> None:
    objective = Objective("seconds", higher_is_better=False)

    assert f"{objective.fitness(0.0):g}" == "0"


def test_a_direction_that_was_left_open_is_the_evaluators() -> None:
    objective = Objective("seconds", higher_is_better=None)

    assert objective.directed({"seconds": False}).terms == (Term("seconds", -1.0),)
    assert objective.directed({"other": False}).terms == (Term("seconds", 1.0),)
    assert Objective("seconds").directed({"seconds": False}).terms == (Term("seconds", 1.0),)


def test_the_weights_of_a_sum_say_which_way_each_metric_is_better() -> None:
    weights = (Term("speed", 2.0), Term("size", -1.0), Term("tests", 0.0))
    objective = Objective(weights=weights)

    assert objective.directions == {"speed": True, "size": False}
    assert objective.name == "weighted fitness"


def test_a_weighted_sum_adds_up_scores_and_errors() -> None:
    objective = Objective(weights=(Term("speed", 2.0), Term("memory", -0.5)))

    judged = objective.judge({"speed": 3.0, "memory": 4.0}, {"speed": 0.1, "memory": 0.6})

    assert isinstance(judged, Estimate)
    assert judged.score == 4.0
    assert judged.error == pytest.approx((0.2**2 + 0.3**2) ** 0.5)


def test_an_error_too_small_to_be_squared_counts_as_none() -> None:
    objective = Objective("speed")

    assert objective.judge({"speed": 3.0}, {"speed": 1e-170}) == Estimate(3.0, 0.0)
    assert objective.judge({"speed": 3.0}, {"speed": 1e-90}) == Estimate(3.0, 1e-90)


def test_a_missing_metric_has_no_score() -> None:
    judged = Objective("speed").judge({"size": 1.0}, {})

    assert judged == Infeasible("the evaluation lacks 'speed'")


@pytest.mark.parametrize(("value", "feasible"), [(0.0, True), (0.1, False)])
def test_a_constraint_that_does_not_hold_takes_the_score_away(value: float, feasible: bool) -> None:
    objective = Objective("speed", constraints=(Constraint.parse("overlap <= 0"),))

    judged = objective.judge({"speed": 1.0, "overlap": value}, {})

    assert isinstance(judged, Estimate) is feasible


def test_a_constraint_on_a_metric_that_is_not_reported_does_not_hold() -> None:
    objective = Objective("speed", constraints=(Constraint.parse("overlap <= 0"),))

    judged = objective.judge({"speed": 1.0}, {})

    assert judged == Infeasible("overlap <= 0 does not hold: it is not reported")


@pytest.mark.parametrize("value", [1.1e100, -1e308])
def test_a_metric_that_explodes_has_no_fitness(value: float) -> None:
    """Squared, as comparisons square it, it would be no number to a database any more."""
    judged = Objective("loss", higher_is_better=False).judge({"loss": value}, {})

    assert isinstance(judged, Infeasible)
    assert "too large" in judged.reason


def test_sums_and_errors_that_explode_have_no_fitness_either() -> None:
    both = Objective(weights=(Term("a", 1e300), Term("b", 1e300)))

    assert isinstance(both.judge({"a": 1e300, "b": -1e300}, {}), Infeasible)
    assert isinstance(both.judge({"a": 0.0, "b": 0.0}, {"a": 1e300}), Infeasible)
