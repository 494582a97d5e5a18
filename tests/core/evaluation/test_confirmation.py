"""The measuring of a finalist beside the root, with made-up measurements."""

from collections.abc import Callable, Iterator
from itertools import count, repeat
from random import Random

import pytest

from loreley.core.evaluation.confirmation import Confirmation, confirm
from loreley.core.evaluation.holdout import Holdout, HoldoutResult
from loreley.core.evaluation.paired_test import EXACT_PAIRS, LOOKS, Verdict
from loreley.errors import EvaluationFailed, JobLost


def give(values: Iterator[float]) -> Callable[[], float]:
    return lambda: next(values)


def run(
    root: Callable[[], float], finalist: Callable[[], float], seconds: float = 1e9
) -> Confirmation:
    ticks = count()
    return confirm(
        root, finalist, Random(1), within_seconds=seconds, clock=lambda: float(next(ticks))
    )


def test_a_better_finalist_without_noise_is_confirmed_after_three_pairs() -> None:
    confirmation = run(give(repeat(1.0)), give(repeat(1.5)))

    assert confirmation.verdict is Verdict.CONFIRMED
    assert confirmation.root_scores == (1.0,) * EXACT_PAIRS
    assert confirmation.difference is not None
    assert (confirmation.difference.estimate, confirmation.difference.margin) == (0.5, 0.0)


def test_a_finalist_that_is_as_good_as_the_root_is_not_confirmed() -> None:
    assert run(give(repeat(1.0)), give(repeat(1.0))).verdict is Verdict.NOT_CONFIRMED


def test_each_pair_is_measured_in_an_order_drawn_anew() -> None:
    measured: list[str] = []
    random = Random(5)

    def measure(name: str, gain: float) -> Callable[[], float]:
        def score() -> float:
            measured.append(name)
            return random.gauss(gain, 1.0)

        return score

    run(measure("root", 0.0), measure("finalist", 9.0))

    pairs = list(zip(measured[::2], measured[1::2], strict=True))
    assert len(pairs) == LOOKS[0]
    assert set(pairs) == {("root", "finalist"), ("finalist", "root")}


def test_a_finalist_that_fails_again_is_not_confirmed_and_says_why() -> None:
    def fail() -> float:
        raise EvaluationFailed("the evaluation failed", reason="it crashed")

    confirmation = run(give(repeat(1.0)), fail)

    assert confirmation.verdict is Verdict.NOT_CONFIRMED
    assert confirmation.reason.startswith("the finalist could not be measured again: ")
    assert "it crashed" in confirmation.reason
    assert confirmation.difference is None


def test_a_root_that_fails_again_confirms_nothing() -> None:
    def fail() -> float:
        raise EvaluationFailed("the evaluation failed")

    confirmation = run(fail, give(repeat(9.0)))

    assert confirmation.verdict is Verdict.NOT_CONFIRMED
    assert confirmation.reason.startswith("the root commit could not be measured again: ")


def test_a_lost_job_ends_the_measuring_at_once() -> None:
    def lose() -> float:
        raise JobLost("the job is no longer ours")

    with pytest.raises(JobLost):
        run(give(repeat(1.0)), lose)


def test_a_confirmation_that_has_cost_its_share_says_so() -> None:
    random = Random(2)
    confirmation = run(lambda: random.gauss(0.0, 1.0), lambda: random.gauss(0.1, 1.0), seconds=16)

    assert confirmation.verdict is Verdict.NOT_CONFIRMED
    assert confirmation.reason == "15 pairs in 16 s did not decide"


def test_one_pair_is_measured_however_little_time_there_is() -> None:
    assert len(run(give(repeat(1.0)), give(repeat(2.0)), seconds=0).scores) == 1


def result(name: str, *scores: float, failure: str = "") -> HoldoutResult:
    return HoldoutResult(name, scores, failure)


@pytest.mark.parametrize(
    ("finalist", "objection"),
    [
        (result("f", 1.2), ""),
        (result("f", 1.0), ""),
        (result("f", 0.75), "it is worse than the root by 0.25"),
        (result("f", failure="it hangs"), "it hangs"),
    ],
)
def test_a_finalist_passes_a_hold_out_that_it_does_not_worsen(
    finalist: HoldoutResult, objection: str
) -> None:
    assert Holdout(result("r", 1.0), finalist).objection == objection


def test_a_loss_within_the_noise_of_the_hold_out_is_none() -> None:
    root, finalist = result("r", 1.0, 1.2, 0.8), result("f", 0.9, 1.1, 0.8)

    assert Holdout(root, finalist).objection == ""
    assert Holdout(root, result("f", 0.1, 0.2, 0.0)).objection


def test_a_hold_out_that_the_root_fails_says_nothing_of_the_finalist() -> None:
    holdout = Holdout(result("r", failure="it raises"), result("f", failure="it raises"))

    assert (holdout.objection, holdout.gain) == ("", None)
