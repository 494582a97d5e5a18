"""Prices and limits of agents' calls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loreley.core.budget import (
    Account,
    BudgetUnit,
    Expectation,
    Granted,
    Limit,
    LimitReached,
    Period,
    Tariff,
    Usage,
    Wait,
    decide,
    find_reached_limit,
    limits_from_mapping,
    limits_to_mapping,
)

DOLLARS = Limit(BudgetUnit.DOLLARS, Period.RUN, 10.0)
DOLLARS_A_DAY = Limit(BudgetUnit.DOLLARS, Period.DAY, 4.0)
TOKENS = Limit(BudgetUnit.TOKENS, Period.RUN, 1000.0)


def test_tokens_have_the_price_the_operator_gave() -> None:
    tariff = Tariff(per_million_input=2.0, per_million_output=10.0)

    usage = tariff.priced(Usage(input_tokens=500_000, output_tokens=100_000))

    assert usage.dollars == pytest.approx(2.0)


def test_cached_input_has_a_price_of_its_own() -> None:
    usage = Usage(input_tokens=1_000_000, output_tokens=0, cached_tokens=900_000)

    assert Tariff(2.0, 10.0, per_million_cached=0.2).priced(usage).dollars == pytest.approx(0.38)
    assert Tariff(2.0, 10.0).priced(usage).dollars == pytest.approx(2.0)


def test_the_operators_price_wins_over_the_reported_one() -> None:
    assert Tariff(per_call=0.5).priced(Usage(dollars=0.1)).dollars == 0.5


def test_without_a_price_the_reported_one_counts() -> None:
    assert Tariff().priced(Usage(10, 20, dollars=0.1)).dollars == 0.1
    assert Tariff().priced(Usage(10, 20)).dollars is None


def test_a_price_for_tokens_says_nothing_where_no_tokens_are_reported() -> None:
    assert Tariff(2.0, 10.0).priced(Usage()).dollars is None
    assert Tariff(2.0, 10.0, per_call=0.25).priced(Usage()).dollars == 0.25


def test_limits_survive_being_stored() -> None:
    limits = (DOLLARS, DOLLARS_A_DAY, TOKENS)

    assert limits_from_mapping(limits_to_mapping(limits)) == limits
    assert limits_from_mapping(None) == ()


def test_a_call_without_limits_is_granted() -> None:
    assert decide([], {}) == Granted()


def test_what_is_expected_is_reserved() -> None:
    decision = decide([Account(DOLLARS, spent=3.0)], {BudgetUnit.DOLLARS: Expectation(0.5)})

    assert decision == Granted({BudgetUnit.DOLLARS: 0.5})


def test_a_spent_limit_is_named() -> None:
    decision = decide([Account(DOLLARS, spent=10.0)], {BudgetUnit.DOLLARS: Expectation(0.0)})

    assert isinstance(decision, LimitReached)
    assert str(decision.limit) == "the run's 10 dollars"


def test_a_call_that_would_not_fit_waits_for_those_under_way() -> None:
    assert (
        decide([Account(DOLLARS, spent=9.0, reserved=0.8)], {BudgetUnit.DOLLARS: Expectation(0.5)})
        == Wait()
    )


def test_a_call_that_does_not_fit_alone_ends_the_run() -> None:
    decision = decide([Account(DOLLARS, spent=9.7)], {BudgetUnit.DOLLARS: Expectation(0.5)})

    assert isinstance(decision, LimitReached)
    assert "may need 0.5" in decision.why


def test_a_call_of_unknown_cost_takes_all_that_is_left() -> None:
    accounts = [Account(DOLLARS, spent=1.0), Account(DOLLARS_A_DAY, spent=1.0, reserved=0.5)]

    assert decide(accounts, {}) == Granted({BudgetUnit.DOLLARS: 2.5})


def test_a_second_call_of_unknown_cost_waits() -> None:
    assert decide([Account(DOLLARS, spent=0.0, reserved=10.0)], {}) == Wait()


def test_when_some_calls_have_not_told_their_cost_no_further_one_is_made() -> None:
    account = Account(DOLLARS, spent=0.0)

    allowed = decide([account], {BudgetUnit.DOLLARS: Expectation(None, blind_calls=2)})
    refused = decide([account], {BudgetUnit.DOLLARS: Expectation(None, blind_calls=3)})

    assert isinstance(allowed, Granted)
    assert isinstance(refused, LimitReached)
    assert "3 calls have not told how many dollars" in refused.why


def test_calls_that_have_not_told_their_cost_do_not_matter_beside_one_that_has() -> None:
    decision = decide(
        [Account(DOLLARS, 1.0)], {BudgetUnit.DOLLARS: Expectation(0.5, blind_calls=9)}
    )

    assert decision == Granted({BudgetUnit.DOLLARS: 0.5})


def test_the_tightest_limit_decides() -> None:
    accounts = [Account(DOLLARS, spent=4.0), Account(DOLLARS_A_DAY, spent=4.0)]

    decision = decide(accounts, {BudgetUnit.DOLLARS: Expectation(0.1)})

    assert isinstance(decision, LimitReached)
    assert decision.limit is DOLLARS_A_DAY


def test_each_measure_has_its_own_limit() -> None:
    accounts = [Account(DOLLARS, spent=0.0), Account(TOKENS, spent=999.0)]

    decision = decide(
        accounts, {BudgetUnit.DOLLARS: Expectation(0.1), BudgetUnit.TOKENS: Expectation(500.0)}
    )

    assert isinstance(decision, LimitReached)
    assert decision.limit is TOKENS


@given(
    workers=st.integers(1, 8),
    cost=st.floats(0.05, 3.0),
    amount=st.floats(0.5, 20.0),
)
def test_workers_never_spend_more_than_the_limit_once_the_cost_is_known(
    workers: int, cost: float, amount: float
) -> None:
    limit = Limit(BudgetUnit.DOLLARS, Period.RUN, amount)
    spent = 0.0
    known: float | None = None
    reservations: list[float] = []
    for _ in range(2000):
        decision = decide(
            [Account(limit, spent, sum(reservations))], {BudgetUnit.DOLLARS: Expectation(known)}
        )
        if isinstance(decision, Granted) and len(reservations) < workers:
            reservations.append(decision.reserved[BudgetUnit.DOLLARS])
        elif reservations:
            reservations.pop(0)
            spent, known = spent + cost, cost
        else:
            break
    else:
        pytest.fail("the run never ended")

    assert find_reached_limit(Account(limit, spent)) or isinstance(decision, LimitReached)
    assert spent <= max(amount, cost) + 1e-9
