"""What `invoke status` says of money, and of a run that pauses."""

import json
from pathlib import Path

import pytest

from loreley.config import Settings
from loreley.core.budget import BudgetUnit, Limit, OpenCall, Period, Usage
from loreley.core.jobs import JobKind
from loreley.db.engine import Database, open_database
from loreley.db.experiment import Experiment
from loreley.db.faults.pause import Pause, begin_pause
from loreley.db.schedule import NewJob, Schedule
from loreley.db.scores import write_score
from loreley.db.spend import Spend
from loreley.errors import Fault
from loreley.map_elites.fitness import Estimate
from loreley.ops.status import describe_spending, describe_status
from tests.db.support import claimed, create_commits


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(loreley_state_dir=tmp_path)


def pay(database: Database, agent: str, dollars: float | None) -> None:
    number = Schedule(database).next_ordinal()
    job_id = Schedule(database).create(NewJob(JobKind.EVOLUTION, number, 7, "a" * 40))
    spend = Spend(database)
    call = spend.open(claimed(database, job_id), agent)
    assert isinstance(call, OpenCall)
    spend.close(call.call_id, Usage(1000, 234, dollars=dollars), 1.0)


def test_each_agent_and_each_limit_has_a_line(settings: Settings) -> None:
    database = open_database(settings.sqlalchemy_url)
    search = {"mapelites_fitness_metric": "score", "mapelites_fitness_higher_is_better": True}
    Schedule(database).begin_experiment(Experiment("a" * 40, search))
    Spend(database).set_limits([Limit(BudgetUnit.DOLLARS, Period.RUN, 5)])
    pay(database, "claude", 0.125)
    pay(database, "codex", None)

    _, claude, codex, budget = describe_spending(database)

    assert claude.split()[:5] == ["claude", "1", "0.1250", "1,234", "0"]
    assert codex.endswith("(1 of unknown price)")
    assert budget == "budget      the run's 5 dollars: 0.1250 spent"
    database.close()
    assert "claude" in describe_status(settings, as_json=False)
    told = json.loads(describe_status(settings, as_json=True))
    assert told["expenses"][0]["dollars"] == 0.125
    assert told["budget"][0]["spent"] == 0.125
    assert told["budget_reached"] is None


def test_without_calls_and_limits_nothing_is_reported(settings: Settings) -> None:
    database = open_database(settings.sqlalchemy_url)

    assert list(describe_spending(database)) == []
    database.close()


def test_a_plateau_is_told_with_its_jobs(settings: Settings) -> None:
    database = open_database(settings.sqlalchemy_url)
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment("a" * 40, {"mapelites_fitness_metric": "score"}))
    [best] = create_commits(database, 1)
    with database.begin() as connection:
        write_score(connection, best, Estimate(1.0))
    assert "plateaus" not in describe_status(settings, as_json=False)

    schedule.create(NewJob(JobKind.EVOLUTION, 60, 7, best))
    database.close()

    assert "plateaus    1, in jobs since 50" in describe_status(settings, as_json=False)
    told = json.loads(describe_status(settings, as_json=True))
    assert told["experiment"]["plateaus"] == [{"begin": 50, "end": None}]


def test_a_pause_is_told_with_its_reason_and_fix(settings: Settings) -> None:
    database = open_database(settings.sqlalchemy_url)
    Schedule(database).begin_experiment(Experiment("a" * 40, {}))
    pause = Pause(Fault.HOST, "No space left on device", "free some disk space", 1.0, 2.0)
    begin_pause(database, pause)
    database.close()

    told = json.loads(describe_status(settings, as_json=True))["pause"]
    words = "the run pauses (host): No space left on device; free some disk space"

    assert f"paused      {words}" in describe_status(settings, as_json=False)
    assert (told["fault"], told["fix"]) == ("host", "free some disk space")
