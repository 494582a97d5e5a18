"""Which commit is called the best, and which one is measured beside the root next."""

import pytest

from loreley.core.evaluation.confirmation import Confirmation
from loreley.core.evaluation.holdout import Holdout, HoldoutResult
from loreley.core.evaluation.paired_test import Verdict
from loreley.core.jobs import JobKind
from loreley.db.confirmations import (
    best_commit,
    next_finalist,
    read_confirmed,
    read_holdout,
    record_confirmation,
)
from loreley.db.engine import Database
from loreley.db.schedule import Schedule
from loreley.map_elites.objective import Objective
from loreley.scheduler.re_measurement import Finalists
from loreley.views.gains import Gain, describe_gain
from tests.evolved import ROOT, Evolved

CLEAR = Confirmation(Verdict.CONFIRMED, (1.0,) * 3, (1.5,) * 3)
UNCLEAR = Confirmation(Verdict.NOT_CONFIRMED, (1.0, 1.2, 0.9), (1.1, 1.0, 1.0))
WORSE = Holdout(HoldoutResult(ROOT, (2.0,)), HoldoutResult("f", (1.5,)))


@pytest.fixture
def run(database: Database) -> Evolved:
    """The root and three better commits, each in a cell of its own."""
    run = Evolved(database)
    run.root(1.0)
    for width, score in enumerate((2.0, 3.0, 4.0)):
        run.child(score, width=float(width))
    return run


def record(
    run: Evolved, commit: str, confirmation: Confirmation, holdout: Holdout | None = None
) -> None:
    with run.database.begin() as connection:
        record_confirmation(run.database, connection, commit, run.jobs[0], confirmation, holdout)


def best(run: Evolved) -> str | None:
    with run.database.read() as connection:
        return best_commit(connection)


def finalist(run: Evolved) -> str | None:
    with run.database.read() as connection:
        return next_finalist(connection, most_doubtful=2)


def by_fitness(run: Evolved) -> list[str]:
    return [f"{number:040x}" for number in range(run.count, 0, -1)]


def test_the_fittest_commit_is_asked_about_first(run: Evolved) -> None:
    assert finalist(run) == best(run) == by_fitness(run)[0]


def test_a_confirmed_commit_ends_the_asking(run: Evolved) -> None:
    record(run, by_fitness(run)[0], CLEAR)

    assert finalist(run) is None
    assert best(run) == by_fitness(run)[0]


def test_an_unclear_commit_gives_way_to_the_next_which_is_then_the_best(run: Evolved) -> None:
    first, second, _ = by_fitness(run)
    record(run, first, UNCLEAR)
    assert finalist(run) == second
    assert best(run) == first

    record(run, second, CLEAR)
    assert finalist(run) is None
    assert best(run) == second


def test_two_unclear_commits_are_enough(run: Evolved) -> None:
    first, second, _ = by_fitness(run)
    record(run, first, UNCLEAR)
    record(run, second, UNCLEAR)

    assert finalist(run) is None
    assert best(run) == first


def test_a_commit_that_fails_the_hold_out_is_passed_over(run: Evolved) -> None:
    first, second, _ = by_fitness(run)
    record(run, first, CLEAR, Holdout(WORSE.root, HoldoutResult(first, (1.5,))))
    record(run, second, CLEAR)

    assert best(run) == second
    with run.database.read() as connection:
        known = read_confirmed(connection, first)
        assert known is not None
        assert known.holdout is not None
        assert known.holdout.objection == "it is worse than the root by 0.5"
        assert read_holdout(connection, ROOT) == HoldoutResult(ROOT, (2.0,))


def test_the_hold_out_of_a_commit_is_kept_as_it_was_first(run: Evolved) -> None:
    first = by_fitness(run)[0]
    record(run, first, CLEAR, Holdout(WORSE.root, HoldoutResult(first, (1.5,))))
    record(run, first, CLEAR, Holdout(HoldoutResult(ROOT, (9.0,)), HoldoutResult(first, (9.0,))))

    with run.database.read() as connection:
        assert read_holdout(connection, first) == HoldoutResult(first, (1.5,))


def test_a_commit_no_fitter_than_the_root_is_no_finalist(database: Database) -> None:
    run = Evolved(database)
    run.root(5.0)
    run.child(2.0, width=3.0)

    assert finalist(run) is None
    assert best(run) == ROOT


def test_the_scheduler_asks_for_one_confirmation_at_a_time(run: Evolved) -> None:
    finalists, schedule = Finalists(run.database, are_wanted=True), Schedule(run.database)
    assert not finalists.tick()
    assert not finalists.tick()

    assert schedule.count_unfinished() == 1
    with run.database.begin() as connection:
        finalists.give_up(connection, by_fitness(run)[0], run.jobs[0], "its worker died")
    with run.database.read() as connection:
        known = read_confirmed(connection, by_fitness(run)[0])
    assert known is not None
    assert (known.verdict, known.reason) == (Verdict.NOT_CONFIRMED, "its worker died")


def test_a_scheduler_that_is_to_confirm_nothing_asks_for_nothing(run: Evolved) -> None:
    assert Finalists(run.database, are_wanted=False).tick()
    assert Schedule(run.database).count_unfinished() == 0


def describe(run: Evolved, confirmation: Confirmation, holdout: Holdout | None = None) -> Gain:
    commit = by_fitness(run)[0]
    record(run, commit, confirmation, holdout)
    with run.database.read() as connection:
        known = read_confirmed(connection, commit)
    assert known is not None
    return describe_gain(known, Objective("seconds", higher_is_better=False), "s")


def test_a_gain_is_written_in_the_metrics_own_direction(run: Evolved) -> None:
    noisy = Confirmation(Verdict.CONFIRMED, (-1.0, -1.1, -0.9, -1.0), (-0.5, -0.7, -0.4, -0.5))

    gain = describe(run, noisy)

    assert gain.is_confirmed
    assert gain.text == "confirmed: -0.50 s ± 0.05 (4 pairs)"
    assert gain.difference == pytest.approx(-0.5)


def test_a_gain_without_noise_says_so(run: Evolved) -> None:
    assert describe(run, CLEAR).text == "confirmed: -0.5 s, without noise in 3 pairs"


def test_what_is_not_confirmed_names_the_noise(run: Evolved) -> None:
    gain = describe(run, UNCLEAR)

    assert not gain.is_confirmed
    assert gain.text.startswith("not confirmed: differences under ")
    assert gain.text.endswith(" s are noise here")


def test_a_failed_hold_out_takes_the_word_away(run: Evolved) -> None:
    first = by_fitness(run)[0]
    gain = describe(run, CLEAR, Holdout(WORSE.root, HoldoutResult(first, (1.5,))))

    assert gain.status == "not confirmed"
    assert gain.text == ("not confirmed: it fails the hold-out, it is worse than the root by 0.5")
    assert gain.holdout == (
        "-2 at the root, -1.5 here: +0.5, against -0.5 where it was selected (gap 1)"
    )


def test_a_confirmation_is_no_judged_commit_of_its_own() -> None:
    assert not JobKind.CONFIRMATION.makes_commit
