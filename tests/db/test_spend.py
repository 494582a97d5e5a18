"""What agents have cost, counted across workers, on both databases."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from loreley.core.budget import BudgetUnit, Limit, LimitReached, OpenCall, Period, Usage, Wait
from loreley.core.jobs import Claim, JobKind, JobRecord
from loreley.db.budget_status import read_account
from loreley.db.engine import Database, now, open_database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.models import calls, jobs
from loreley.db.schedule import NewJob, Schedule
from loreley.db.spend import DAY_SECONDS, Spend
from loreley.errors import AgentFailed
from tests.db.support import claimed, rows

DOLLARS = Limit(BudgetUnit.DOLLARS, Period.RUN, 1.0)
DOLLARS_A_DAY = Limit(BudgetUnit.DOLLARS, Period.DAY, 0.5)
TOKENS = Limit(BudgetUnit.TOKENS, Period.RUN, 1000.0)


@pytest.fixture
def spend(database: Database) -> Spend:
    Schedule(database).begin_experiment(Experiment("a" * 40, {}))
    return Spend(database)


def claims(database: Database, count: int) -> list[Claim]:
    first = Schedule(database).next_ordinal()
    ids = [
        Schedule(database).create(NewJob(JobKind.EVOLUTION, first + number, 7, "a" * 40))
        for number in range(count)
    ]
    return [claimed(database, job_id) for job_id in ids]


def opened(spend: Spend, claim: Claim, agent: str = "stub") -> str:
    answer = spend.open(claim, agent)
    assert isinstance(answer, OpenCall), answer
    return answer.call_id


def paid(spend: Spend, claim: Claim, dollars: float | None, agent: str = "stub") -> None:
    spend.close(opened(spend, claim, agent), Usage(100, 20, 10, dollars), 2.0)


def spent(database: Database, limit: Limit) -> float:
    with database.read() as connection:
        return read_account(connection, limit).spent


def test_without_limits_every_call_is_granted_and_counted(database: Database, spend: Spend) -> None:
    [claim] = claims(database, 1)

    paid(spend, claim, 0.25)

    [row] = rows(database, "calls")
    assert (row["agent"], row["attempt"], row["job_id"]) == ("stub", 1, claim.job_id)
    assert (row["input_tokens"], row["output_tokens"], row["cached_tokens"]) == (100, 20, 10)
    assert (row["dollars"], row["seconds"]) == (0.25, 2.0)
    assert row["closed_at"] >= row["opened_at"]
    assert not spend.needs_prices()


def test_the_limits_are_what_was_set_last(spend: Spend) -> None:
    spend.set_limits([DOLLARS, TOKENS])
    spend.set_limits([DOLLARS_A_DAY])

    assert spend.limits() == (DOLLARS_A_DAY,)
    assert spend.needs_prices()


def test_the_first_call_is_made_alone(database: Database, spend: Spend) -> None:
    spend.set_limits([DOLLARS])
    one, other = claims(database, 2)

    first = opened(spend, one)
    assert isinstance(spend.open(other, "stub"), Wait)
    spend.close(first, Usage(dollars=0.1), 1.0)

    assert isinstance(spend.open(other, "stub"), OpenCall)


def test_calls_that_were_turned_away_do_not_make_the_next_one_cheap(
    database: Database, spend: Spend
) -> None:
    spend.set_limits([DOLLARS])
    claim, *others = claims(database, 4)
    paid(spend, claim, 0.3)
    for _ in range(10):
        spend.close(opened(spend, claim), Usage(0, 0, dollars=0.0), 1.0)

    assert [type(spend.open(each, "stub")) for each in others] == [OpenCall, OpenCall, Wait]


def test_calls_of_known_cost_are_made_side_by_side_as_far_as_the_money_reaches(
    database: Database, spend: Spend
) -> None:
    spend.set_limits([DOLLARS])
    first, *others = claims(database, 5)
    paid(spend, first, 0.3)

    answers = [spend.open(claim, "stub") for claim in others]

    assert [type(answer) for answer in answers] == [OpenCall, OpenCall, Wait, Wait]


def test_a_spent_limit_ends_the_run_and_is_remembered(database: Database, spend: Spend) -> None:
    spend.set_limits([DOLLARS])
    first, second = claims(database, 2)
    paid(spend, first, 1.5)

    answer = spend.open(second, "stub")

    assert isinstance(answer, LimitReached)
    assert spend.reached() == answer
    assert str(answer.limit) == "the run's 1 dollars"
    spend.set_limits([DOLLARS])
    assert spend.reached() is None


def test_tokens_are_counted_likewise(database: Database, spend: Spend) -> None:
    spend.set_limits([TOKENS])
    first, second = claims(database, 2)
    spend.close(opened(spend, first), Usage(990, 20), 1.0)

    assert isinstance(spend.open(second, "stub"), LimitReached)


def test_a_day_begins_anew(database: Database, spend: Spend) -> None:
    spend.set_limits([DOLLARS_A_DAY])
    first, second = claims(database, 2)
    paid(spend, first, 0.6)
    assert isinstance(spend.open(second, "stub"), LimitReached)

    with database.begin() as connection:
        connection.execute(update(calls).values(opened_at=now() - DAY_SECONDS))

    assert spent(database, DOLLARS_A_DAY) == 0
    assert spent(database, DOLLARS) == pytest.approx(0.6)


def test_what_another_agent_costs_says_nothing_of_this_one(
    database: Database, spend: Spend
) -> None:
    spend.set_limits([DOLLARS])
    first, second, third = claims(database, 3)
    paid(spend, first, 0.6, agent="dear")

    assert isinstance(spend.open(second, "dear"), LimitReached)
    spend.set_limits([DOLLARS])
    assert isinstance(spend.open(third, "cheap"), OpenCall)


def test_a_call_that_was_cut_off_counts_as_what_was_expected(
    database: Database, spend: Spend
) -> None:
    spend.set_limits([DOLLARS])
    first, second = claims(database, 2)
    paid(spend, first, 0.4)
    opened(spend, second)

    with database.read() as connection:
        standing = read_account(connection, DOLLARS)
    assert (standing.spent, standing.reserved) == pytest.approx((0.4, 0.4))
    Jobs(database).fail(second, AgentFailed("it died"), JobRecord())

    with database.read() as connection:
        standing = read_account(connection, DOLLARS)
    assert (standing.spent, standing.reserved) == pytest.approx((0.8, 0.0))


def test_a_call_of_a_worker_that_died_does_not_hold_its_share_for_ever(
    database: Database, spend: Spend
) -> None:
    spend.set_limits([DOLLARS])
    first, second, third = claims(database, 3)
    paid(spend, first, 0.4)
    opened(spend, second)
    assert isinstance(spend.open(third, "stub"), Wait)

    with database.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.id == second.job_id).values(attempt=2))

    assert isinstance(spend.open(third, "stub"), LimitReached)


def test_calls_that_never_tell_their_cost_end_the_run(database: Database, spend: Spend) -> None:
    spend.set_limits([DOLLARS])
    for claim in claims(database, 3):
        paid(spend, claim, None)
    [claim] = claims(database, 1)

    answer = spend.open(claim, "stub")

    assert isinstance(answer, LimitReached)
    assert "3 calls have not told" in answer.why
    # Whoever has set a price starts the scheduler again.
    with database.begin() as connection:
        connection.execute(update(calls).values(opened_at=now() - 5))
    spend.set_limits([DOLLARS])
    assert isinstance(spend.open(claim, "stub"), OpenCall)


@pytest.mark.slow
def test_many_workers_together_keep_the_limit(database_url: str) -> None:
    with_workers = 6
    cost = 0.09
    database = open_database(database_url)
    Schedule(database).begin_experiment(Experiment("a" * 40, {}))
    Spend(database).set_limits([DOLLARS])
    first, *held = claims(database, with_workers + 1)
    paid(Spend(database), first, cost)

    def work(claim: Claim) -> int:
        own = open_database(database_url)
        spend, made = Spend(own), 0
        try:
            while not isinstance(answer := spend.open(claim, "stub"), LimitReached):
                if isinstance(answer, OpenCall):
                    spend.close(answer.call_id, Usage(dollars=cost), 0.0)
                    made += 1
        finally:
            own.close()
        return made

    with ThreadPoolExecutor(with_workers) as pool:
        made: Sequence[int] = list(pool.map(work, held))

    assert 1 + sum(made) == int(1.0 / cost)
    assert spent(database, DOLLARS) <= 1.0
    database.close()
