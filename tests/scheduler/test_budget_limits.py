"""A run within its budget, on both databases."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import update

from loreley.config import Settings
from loreley.core.budget import BudgetUnit, Limit, OpenCall, Period, Usage
from loreley.core.jobs import JobKind, JobRecord, JobState
from loreley.db.budget_status import read_account
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.models import activity
from loreley.db.schedule import NewJob, Schedule
from loreley.db.spend import Spend
from loreley.errors import AgentFailed
from loreley.scheduler.budget_limits import Budget, limits_from_settings
from loreley.views.costs import read_ending
from tests.db.support import claimed, rows

DOLLARS = Limit(BudgetUnit.DOLLARS, Period.RUN, 1.0)
JOBS = Limit(BudgetUnit.JOBS, Period.DAY, 3)
HOURS = Limit(BudgetUnit.HOURS, Period.RUN, 2.0)


@pytest.fixture
def schedule(database: Database) -> Schedule:
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment("a" * 40, {}))
    return schedule


@dataclass
class Clock:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


def create(schedule: Schedule) -> str:
    number = schedule.next_ordinal()
    return schedule.create(NewJob(JobKind.EVOLUTION, number, 7, "a" * 40))


def pay(database: Database, schedule: Schedule, dollars: float) -> None:
    claim, spend = claimed(database, create(schedule)), Spend(database)
    call = spend.open(claim, "stub")
    assert isinstance(call, OpenCall)
    spend.close(call.call_id, Usage(dollars=dollars), 1.0)
    Jobs(database).fail(claim, AgentFailed("no idea"), JobRecord())


def states(database: Database) -> list[str]:
    return [row["state"] for row in sorted(rows(database, "jobs"), key=lambda row: row["ordinal"])]


@pytest.mark.parametrize(
    ("given", "limit"),
    [
        ({"scheduler_budget_dollars": 5}, Limit(BudgetUnit.DOLLARS, Period.RUN, 5)),
        ({"scheduler_budget_dollars_per_day": 2.5}, Limit(BudgetUnit.DOLLARS, Period.DAY, 2.5)),
        ({"scheduler_budget_tokens": 10}, Limit(BudgetUnit.TOKENS, Period.RUN, 10)),
        ({"scheduler_budget_tokens_per_day": 10}, Limit(BudgetUnit.TOKENS, Period.DAY, 10)),
        ({"scheduler_budget_jobs_per_day": 10}, Limit(BudgetUnit.JOBS, Period.DAY, 10)),
        ({"scheduler_budget_hours": 1}, Limit(BudgetUnit.HOURS, Period.RUN, 1)),
        ({"scheduler_budget_hours_per_day": 1}, Limit(BudgetUnit.HOURS, Period.DAY, 1)),
    ],
)
def test_each_setting_is_a_limit(given: dict[str, Any], limit: Limit) -> None:
    assert limits_from_settings(Settings(**given)) == (limit,)


def test_every_worker_sees_the_limits(database: Database, schedule: Schedule) -> None:
    Budget(database, [DOLLARS, JOBS])

    assert Spend(database).limits() == (DOLLARS, JOBS)


def test_within_its_limits_a_run_goes_on(database: Database, schedule: Schedule) -> None:
    budget = Budget(database, [DOLLARS])
    pay(database, schedule, 0.9)

    budget.tick()

    assert budget.reached is None
    assert budget.room_for_jobs() is None


def test_a_spent_limit_cancels_what_waits_and_lets_run_what_runs(
    database: Database, schedule: Schedule
) -> None:
    budget = Budget(database, [DOLLARS])
    pay(database, schedule, 1.25)
    claimed(database, create(schedule))
    create(schedule)

    budget.tick()

    assert budget.reached == "the run's 1 dollars: 1.25 dollars spent"
    assert budget.room_for_jobs() == 0
    assert states(database) == [JobState.FAILED, JobState.RUNNING, JobState.CANCELLED]


def test_a_worker_that_was_refused_a_call_ends_the_run(
    database: Database, schedule: Schedule
) -> None:
    budget = Budget(database, [DOLLARS])
    pay(database, schedule, 0.6)
    Spend(database).open(claimed(database, create(schedule)), "stub")

    budget.tick()

    assert budget.reached is not None
    assert "the next call may need 0.6" in budget.reached


def test_a_new_start_with_a_larger_limit_goes_on(database: Database, schedule: Schedule) -> None:
    Budget(database, [DOLLARS])
    pay(database, schedule, 1.25)

    later = Budget(database, [Limit(BudgetUnit.DOLLARS, Period.RUN, 9.0)])
    later.tick()

    assert later.reached is None


def test_the_days_jobs_are_counted_and_finished(database: Database, schedule: Schedule) -> None:
    budget = Budget(database, [JOBS])
    create(schedule)
    assert budget.room_for_jobs() == 2
    create(schedule)
    create(schedule)

    budget.tick()

    assert budget.reached == "the day's 3 jobs: 3 jobs spent"
    assert states(database) == [JobState.PENDING] * 3


def test_jobs_of_yesterday_do_not_count_today(database: Database, schedule: Schedule) -> None:
    budget = Budget(database, [JOBS])
    for _ in range(3):
        create(schedule)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE jobs SET created_at = created_at - 86400")

    budget.tick()

    assert budget.reached is None
    assert budget.room_for_jobs() == 3


def test_hours_are_counted_over_every_start(database: Database, schedule: Schedule) -> None:
    clock = Clock()
    first = Budget(database, [HOURS], clock=clock)
    clock.seconds = 3600
    first.note_activity(at_once=True)
    second = Budget(database, [HOURS], clock=clock)
    clock.seconds = 7000
    second.tick()
    early = second.reached
    clock.seconds = 7300
    second.tick()

    assert early is None
    assert str(second.reached).startswith("the run's 2 hours")
    assert read_ending(database) == second.reached


@pytest.mark.parametrize(
    ("limit", "left"), [(HOURS, JobState.CANCELLED), (DOLLARS, JobState.PENDING)]
)
def test_a_measurement_that_waits_takes_time_but_no_money(
    database: Database, schedule: Schedule, limit: Limit, left: JobState
) -> None:
    clock = Clock()
    budget = Budget(database, [limit], clock=clock)
    pay(database, schedule, 1.25)
    schedule.create_extra(JobKind.MEASUREMENT, "a" * 40)
    clock.seconds += 2 * 3600

    budget.tick()

    assert budget.reached
    assert states(database) == [left, JobState.FAILED]


def test_hours_of_yesterday_do_not_count_today(database: Database, schedule: Schedule) -> None:
    clock = Clock()
    budget = Budget(database, [], clock=clock)
    clock.seconds = 1800
    budget.note_activity()
    with database.begin() as connection:
        connection.execute(update(activity).values(day=activity.c.day - 1))
    clock.seconds = 5400
    budget.note_activity()

    with database.read() as connection:
        accounts = [read_account(connection, Limit(BudgetUnit.HOURS, each, 9.0)) for each in Period]
    assert {each.limit.period: each.spent for each in accounts} == {
        Period.RUN: pytest.approx(1.5),
        Period.DAY: pytest.approx(1.0),
    }
