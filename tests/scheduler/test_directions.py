"""Which way is better: as the evaluator says of the root, for good, and against no setting."""

from collections.abc import Iterator, Mapping
from math import exp
from random import Random
from typing import Any

import pytest
from sqlalchemy import update

from loreley.core.evaluation.evaluation import require_directions
from loreley.core.jobs import JobKind, JobRecord
from loreley.db.engine import Database, open_database
from loreley.db.experiment import Experiment, read_experiment
from loreley.db.jobs import Jobs
from loreley.db.models import experiment as experiments
from loreley.db.schedule import Schedule
from loreley.errors import ConfigError, EvaluationFailed
from loreley.views.overview import read_overview
from tests.scheduler.simulation import ROOT, Simulation

pytestmark = pytest.mark.slow
# What the search does with the rows; that both kinds give the same rows is tested elsewhere.
only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SECONDS: dict[str, Any] = {
    "mapelites_fitness_metric": "seconds",
    "scheduler_max_total_jobs": 20,
    "scheduler_confirmation_share": 0,
}


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = open_database(database_url)
    yield database
    database.close()


def timed(genome: Mapping[str, float], _random: Random) -> Mapping[str, float]:
    """A program that takes 0.310 s, as the root of the run that climbed to 0.457 s did."""
    return {"seconds": 0.31 * exp(genome["x"] / 5), "x": genome["x"], "y": genome["y"]}


def simulation(
    database: Database, settings: Mapping[str, Any] | None = None, **directions: bool
) -> Simulation:
    found = dict(SECONDS) | dict(settings or {})
    return Simulation(database, found, judge=timed, directions=directions)


def known(database: Database) -> Experiment:
    with database.read() as connection:
        found = read_experiment(connection)
    assert found is not None
    return found


@only_sqlite
def test_a_run_climbs_in_the_direction_that_the_evaluator_says(database: Database) -> None:
    run = simulation(database, seconds=False)

    run.run()

    overview = read_overview(database)
    assert overview is not None
    assert overview.root is not None
    assert overview.best is not None
    assert overview.root.fitness == 0.31
    assert overview.best.fitness < 0.29
    assert overview.objective.higher_is_better is False
    assert known(database).describe_direction() == "lower is better, as the evaluator says"


@only_sqlite
def test_an_evaluator_that_says_nothing_means_more(database: Database) -> None:
    run = simulation(database)
    assert known(database).describe_direction() == "as the evaluator will say of the root commit"

    run.run()

    overview = read_overview(database)
    assert overview is not None
    assert overview.best is not None
    assert overview.best.fitness > 0.33
    said = known(database).describe_direction()
    assert said == "taken as higher is better, as the evaluator does not say"


@only_sqlite
def test_a_setting_decides_where_the_evaluator_says_nothing(database: Database) -> None:
    run = simulation(database, {"mapelites_fitness_higher_is_better": False})

    run.run()

    overview = read_overview(database)
    assert overview is not None
    assert overview.best is not None
    assert overview.best.fitness < 0.29
    assert known(database).describe_direction() == "lower is better, as is set"


@only_sqlite
@pytest.mark.parametrize(
    ("settings", "directions", "setting", "reason"),
    [
        (
            {"mapelites_fitness_higher_is_better": True},
            {"seconds": False},
            "MAPELITES_FITNESS_HIGHER_IS_BETTER",
            "the setting is true, so more is better; the evaluator says higher_is_better false",
        ),
        (
            {"mapelites_fitness_higher_is_better": False},
            {"seconds": True},
            "MAPELITES_FITNESS_HIGHER_IS_BETTER",
            "the setting is false, so less is better; the evaluator says higher_is_better true",
        ),
        (
            {"mapelites_fitness_metric": None, "mapelites_fitness_weights": ["seconds:2", "x:1"]},
            {"seconds": False},
            "MAPELITES_FITNESS_WEIGHTS",
            "the weight is 2, so more is better; the evaluator says higher_is_better false",
        ),
        (
            {"mapelites_fitness_metric": None, "mapelites_fitness_weights": ["x:-1", "seconds:0"]},
            {"x": True, "seconds": False},
            "MAPELITES_FITNESS_WEIGHTS",
            "the weight is -1, so less is better; the evaluator says higher_is_better true",
        ),
        (
            {"mapelites_constraints": ["x <= 9"]},
            {"x": True, "seconds": False},
            "MAPELITES_CONSTRAINTS",
            "x <= 9 bounds what is better; the evaluator says higher_is_better true",
        ),
        (
            {"mapelites_constraints": ["seconds >= 0.1"]},
            {"seconds": False},
            "MAPELITES_CONSTRAINTS",
            "seconds >= 0.1 bounds what is better; the evaluator says higher_is_better false",
        ),
    ],
)
def test_a_setting_against_the_evaluators_word_ends_the_run_at_its_root(
    database: Database,
    settings: Mapping[str, Any],
    directions: Mapping[str, bool],
    setting: str,
    reason: str,
) -> None:
    run = simulation(database, settings, **directions)

    with pytest.raises(ConfigError) as raised:
        run.run()

    [problem] = raised.value.problems
    assert problem.setting == setting
    assert problem.reason.startswith(reason)
    assert "DATABASE_URL" in problem.fix
    with pytest.raises(ConfigError, match="contradict each other"):  # nor does another start help
        Simulation(database, SECONDS | dict(settings), judge=timed).run()


@only_sqlite
def test_settings_along_the_evaluators_words_contradict_nothing(database: Database) -> None:
    constraints = ["seconds <= 9", "x >= -90", "y <= 90"]
    run = simulation(
        database,
        {"mapelites_fitness_higher_is_better": False, "mapelites_constraints": constraints},
        seconds=False,
        x=True,
    )

    run.run()  # of y the evaluator says nothing


@only_sqlite
def test_an_old_run_that_climbed_the_wrong_way_does_not_go_on(database: Database) -> None:
    simulation(database, seconds=False).run()
    with database.begin() as connection:  # as versions before wrote it where nothing was set
        search = dict(known(database).search) | {"mapelites_fitness_higher_is_better": True}
        connection.execute(update(experiments).values(search=search))

    with pytest.raises(ConfigError, match="the fitness and the evaluator contradict each other"):
        simulation(database, seconds=False).run()


@only_sqlite
def test_an_old_run_in_the_right_direction_goes_on_without_the_setting(database: Database) -> None:
    simulation(database, {"mapelites_fitness_higher_is_better": True}).run()

    simulation(database, {"scheduler_max_total_jobs": 25}).run()

    overview = read_overview(database)
    assert overview is not None
    assert overview.ended == 25


@only_sqlite
def test_a_direction_that_was_settled_by_the_evaluator_is_not_turned_round(
    database: Database,
) -> None:
    simulation(database, seconds=False).run()

    simulation(database, {"mapelites_fitness_higher_is_better": False}, seconds=False).run()
    with pytest.raises(ConfigError, match="it began with False, now it is True"):
        simulation(database, {"mapelites_fitness_higher_is_better": True})


@only_sqlite
@pytest.mark.parametrize(
    ("first", "then", "reason"),
    [
        ({"seconds": False}, {"seconds": True}, "more is better, where less has been so far"),
        ({}, {"seconds": False}, "less is better, where more has been so far"),
        ({"x": True}, {"x": False}, "less is better, where more has been so far"),
    ],
)
def test_an_evaluator_that_changes_its_mind_fails_with_words_that_say_so(
    database: Database, first: Mapping[str, bool], then: Mapping[str, bool], reason: str
) -> None:
    run = simulation(database, None, **first)
    run.scheduler.tick()
    run.work()  # on the root
    run.scheduler.tick()
    claim = Jobs(database).claim(run.queue.job_ids.pop(0), worker="test", lease_seconds=60)
    run.directions = first
    require_directions(run.evaluate({"x": 1.0, "y": 1.0}), claim.directions)
    run.directions = then

    with pytest.raises(EvaluationFailed, match="two directions") as raised:
        require_directions(run.evaluate({"x": 1.0, "y": 1.0}), claim.directions)

    assert raised.value.summary.endswith(f": now it says that {reason}")


def test_a_measurement_that_says_another_direction_does_not_count(database: Database) -> None:
    run = simulation(database, seconds=False)
    run.scheduler.tick()
    run.work()  # on the root
    schedule, jobs = Schedule(database), Jobs(database)
    schedule.create_extra(JobKind.MEASUREMENT, ROOT)
    [job_id] = schedule.queue_pending()
    claim = jobs.claim(job_id, worker="test", lease_seconds=60)
    before = jobs.find_judged([ROOT])
    run.directions = {"seconds": True}

    with pytest.raises(EvaluationFailed, match="two directions of 'seconds'"):
        jobs.add_measurement(claim, run.evaluate({"x": 0.0, "y": 0.0}), JobRecord())

    assert jobs.find_judged([ROOT]) == before
