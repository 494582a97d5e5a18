"""What agents have cost and what came of it, on both databases."""

from sqlalchemy import update

from loreley.core.budget import BudgetUnit, Limit, OpenCall, Period, Usage
from loreley.core.jobs import JobKind, JobRecord
from loreley.db.budget_status import add_activity
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.models import jobs
from loreley.db.schedule import NewJob, Schedule
from loreley.db.spend import Spend
from loreley.views.costs import read_accounts, read_ending, read_expenses
from tests.db.support import claimed, judged_commit


def job_of(
    database: Database, number: int, agent: str, dollars: float | None, outcome: str
) -> None:
    job_id = Schedule(database).create(NewJob(JobKind.EVOLUTION, number, 7, "a" * 40))
    claim, spend = claimed(database, job_id), Spend(database)
    call = spend.open(claim, agent)
    assert isinstance(call, OpenCall)
    spend.close(call.call_id, Usage(100, 20, dollars=dollars), 1.5)
    Jobs(database).succeed(claim, judged_commit(number), JobRecord(agent=agent))
    with database.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(archive_outcome=outcome))


def test_expenses_are_reported_by_agent_and_for_each_improvement(database: Database) -> None:
    Schedule(database).begin_experiment(Experiment("a" * 40, {}))
    for number, (agent, dollars, outcome) in enumerate(
        [
            ("claude", 0.5, "new"),
            ("claude", 0.25, "rejected"),
            ("claude", 0.25, "improved"),
            ("codex", None, "rejected"),
        ],
        start=1,
    ):
        job_of(database, number, agent, dollars, outcome)

    claude, codex = read_expenses(database)

    assert (claude.agent, claude.calls, claude.dollars, claude.tokens) == ("claude", 3, 1.0, 360)
    assert (claude.entered, claude.dollars_per_entered) == (2, 0.5)
    assert (claude.unpriced_calls, claude.seconds) == (0, 4.5)
    assert (codex.unpriced_calls, codex.dollars, codex.dollars_per_entered) == (1, 0.0, None)


def test_every_limit_tells_how_it_stands(database: Database) -> None:
    Schedule(database).begin_experiment(Experiment("a" * 40, {}))
    limits = [
        Limit(BudgetUnit.DOLLARS, Period.RUN, 5.0),
        Limit(BudgetUnit.JOBS, Period.DAY, 10),
        Limit(BudgetUnit.HOURS, Period.RUN, 2.0),
        Limit(BudgetUnit.HOURS, Period.DAY, 1.0),
    ]
    Spend(database).set_limits(limits)
    job_of(database, 1, "claude", 0.5, "new")
    add_activity(database, 1800.0)

    found = {account.limit: account.spent for account in read_accounts(database)}

    assert found == dict(zip(limits, [0.5, 1, 0.5, 0.5], strict=True))
    assert read_ending(database) is None


def test_what_ended_a_run_is_reported(database: Database) -> None:
    Schedule(database).begin_experiment(Experiment("a" * 40, {}))
    Spend(database).set_limits([Limit(BudgetUnit.DOLLARS, Period.RUN, 0.1)])
    job_of(database, 1, "claude", 0.5, "new")
    other = Schedule(database).create(NewJob(JobKind.EVOLUTION, 2, 7, "a" * 40))

    Spend(database).open(claimed(database, other), "claude")

    assert read_ending(database) == "the run's 0.1 dollars: 0.5 dollars spent"


def test_before_the_first_call_there_is_nothing_to_tell(database: Database) -> None:
    assert read_expenses(database) == []
    assert read_accounts(database) == []
