"""The root commit's evaluation, before anything else and not for ever."""

import pytest

from loreley.core.jobs import JobKind
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.schedule import Schedule, mark_ingested
from loreley.errors import ConfigError, EvaluationFailed, LoreleyError
from loreley.scheduler.baseline import Baseline, RequiredMetrics
from tests.db.support import claimed, failed, judged_commit, rows, succeeded

ROOT = f"{1:040x}"


@pytest.fixture
def schedule(database: Database) -> Schedule:
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(ROOT, {}))
    return schedule


@pytest.fixture
def baseline(schedule: Schedule) -> Baseline:
    return Baseline(schedule, ROOT)


def newest(database: Database) -> str:
    return str(min(rows(database, "jobs"), key=lambda row: int(row["ordinal"]))["id"])


def take_all_in(schedule: Schedule, database: Database) -> None:
    for job in schedule.find_ended():
        with database.begin() as connection:
            mark_ingested(connection, job)


def test_the_root_is_asked_for_once(baseline: Baseline, database: Database) -> None:
    assert [baseline.tick(), baseline.tick()] == [False, False]

    [row] = rows(database, "jobs")
    assert (row["kind"], row["base_commit"]) == (JobKind.BASELINE, ROOT)
    assert row["ordinal"] < 0


def test_a_root_that_is_being_judged_is_waited_for(baseline: Baseline, database: Database) -> None:
    baseline.tick()
    claimed(database, newest(database))

    assert not baseline.tick()


def test_a_judged_root_counts_once_it_is_in_the_archive(
    baseline: Baseline, schedule: Schedule, database: Database
) -> None:
    baseline.tick()
    succeeded(database, newest(database), judged_commit(1, parent=None))
    assert not baseline.tick()

    take_all_in(schedule, database)
    assert baseline.tick()
    assert Baseline(schedule, ROOT).tick()  # a restart does not ask again
    assert len(rows(database, "jobs")) == 1


def test_a_failure_ends_the_run_with_its_reason(
    baseline: Baseline, schedule: Schedule, database: Database
) -> None:
    baseline.tick()
    failed(database, newest(database), EvaluationFailed("it raised", reason="ValueError"))
    take_all_in(schedule, database)

    with pytest.raises(LoreleyError) as raised:
        baseline.tick()

    [problem] = raised.value.problems
    assert (problem.target, problem.reason) == (ROOT, "it raised: ValueError")
    assert "WORKER_EVALUATOR" in problem.setting


def test_after_a_failure_the_next_start_tries_again(
    baseline: Baseline, schedule: Schedule, database: Database
) -> None:
    baseline.tick()
    failed(database, newest(database), EvaluationFailed("it raised"))
    take_all_in(schedule, database)
    mended = Baseline(schedule, ROOT)

    assert not mended.tick()
    succeeded(database, newest(database), judged_commit(1, parent=None))
    take_all_in(schedule, database)

    assert mended.tick()


def test_a_start_that_finds_the_root_being_judged_waits_for_it(
    baseline: Baseline, schedule: Schedule, database: Database
) -> None:
    baseline.tick()
    restarted = Baseline(schedule, ROOT)
    assert not restarted.tick()
    failed(database, newest(database), EvaluationFailed("it raised"))
    take_all_in(schedule, database)

    with pytest.raises(LoreleyError, match="cannot be evaluated"):
        restarted.tick()


def test_a_root_that_lacks_a_metric_ends_the_run_and_says_which(
    schedule: Schedule, database: Database
) -> None:
    needs = RequiredMetrics(
        Jobs(database),
        {
            "MAPELITES_FITNESS_METRIC": ["score"],
            "MAPELITES_MEASURES": ["speed", "size"],
            "MAPELITES_CONSTRAINTS": ["memory"],
        },
    )
    baseline = Baseline(schedule, ROOT, needs)
    baseline.tick()
    succeeded(database, newest(database), judged_commit(1, {"score": 1.0, "size": 2.0}))
    take_all_in(schedule, database)

    with pytest.raises(ConfigError) as raised:
        baseline.tick()

    found = [(problem.setting, problem.target) for problem in raised.value.problems]
    assert found == [("MAPELITES_MEASURES", "speed"), ("MAPELITES_CONSTRAINTS", "memory")]
    assert "it reports score, size" in raised.value.summary


def test_a_root_with_every_metric_is_ready(schedule: Schedule, database: Database) -> None:
    needs = RequiredMetrics(Jobs(database), {"MAPELITES_MEASURES": ["score"]})
    baseline = Baseline(schedule, ROOT, needs)
    baseline.tick()
    succeeded(database, newest(database), judged_commit(1, {"score": 1.0}))
    take_all_in(schedule, database)

    assert baseline.tick()
