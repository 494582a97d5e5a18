"""All numbers together: better values are found, the same ones again, and within the budget."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from loreley.core.tuning.parameters import Parameter
from loreley.core.tuning.tuner import TuneBudget, Tuned, TuneEnded, Tuner
from tests.core.tuning.test_parameters import find

Score = Callable[[Sequence[Any]], float | None]
FEW = "a: 0.5\nb: 3\nc: 0.01 # tune: 1e-4:1:log\n"
MANY = "a: [" + ", ".join(["0.5"] * 30) + "]\n"


def parameters(text: str, tmp_path: Path) -> Sequence[Parameter]:
    return find({"m.yaml": text}, tmp_path).all


def score_few(values: Sequence[Any]) -> float:
    a, b, c = values
    return float(-((a - 1.2) ** 2) - 0.01 * (b - 12) ** 2 - (math.log10(c) + 3) ** 2)


def score_many(values: Sequence[Any]) -> float:
    return -float(sum((value - 0.3 - place / 100) ** 2 for place, value in enumerate(values)))


def tuned(text: str, score: Score, tmp_path: Path, tries: int, **more: Any) -> tuple[Tuned, Tuner]:
    budget = TuneBudget(more.pop("seconds", 3600.0), tries)
    tuner = Tuner(parameters(text, tmp_path), score, budget, more.pop("seed", 1), **more)
    return tuner.tune(), tuner


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "score", "tries", "share"), [(FEW, score_few, 80, 0.05), (MANY, score_many, 800, 0.05)]
)
def test_much_of_what_can_be_gained_is_gained(
    text: str, score: Score, tries: int, share: float, tmp_path: Path
) -> None:
    result, tuner = tuned(text, score, tmp_path, tries)
    assert result.is_better
    assert result.score is not None
    assert result.start_score is not None
    assert result.score == score(result.values)
    assert result.score > share * result.start_score  # the best is 0
    assert len(tuner.trace.tries) == tries


def count_moved(tuner: Tuner, tries: slice) -> int:
    """Most numbers that these tries have moved, from the best before each of them."""
    made, moved = tuner.trace.tries, []
    for number in range(*tries.indices(len(made))):
        best = max(made[:number], key=lambda each: each.score or -math.inf).values
        pairs = zip(best, made[number].values, strict=True)
        moved.append(sum(one != other for one, other in pairs))
    return max(moved)


@pytest.mark.slow
def test_many_numbers_are_moved_a_few_at_a_time_before_all_together(tmp_path: Path) -> None:
    _, tuner = tuned(MANY, score_many, tmp_path, 400)

    assert 1 < count_moved(tuner, slice(30, 250)) <= 12
    assert count_moved(tuner, slice(350, 400)) > 12
    assert tuner.climbs_left == 0


@pytest.mark.slow
def test_a_later_job_goes_on_from_where_the_optimisers_had_come_to(tmp_path: Path) -> None:
    _, first = tuned(MANY, score_many, tmp_path, 200)
    left = first.climbs_left
    assert left is not None
    assert 100 < left < 200

    _, second = tuned(MANY, score_many, tmp_path, 200, begin_with=first.best[0], climbs_left=left)

    assert count_moved(second, slice(2, 50)) <= 12
    assert second.climbs_left == 0
    assert second.best[1] >= first.best[1]


def test_what_an_earlier_job_left_out_is_left_out_again(tmp_path: Path) -> None:
    first, *others = parameters("a: 0.5\nb: 3.0\n", tmp_path)
    known = [replace(first, known_step=0.1), *others]

    tuner = Tuner(known, lambda values: -abs(values[0] - 1) - abs(values[1]), TuneBudget(60, 15), 1)
    tuner.tune()

    assert {each.values[1] for each in tuner.trace.tries} == {3.0}
    assert len({each.values[0] for each in tuner.trace.tries}) == 15


@pytest.mark.slow
def test_the_best_of_a_few_words_is_found_and_told(tmp_path: Path) -> None:
    text = "mode: red # tune: red|green|blue|grey\nx: 0.5\n"

    result, tuner = tuned(
        text, lambda values: (values[0] == 2) - (values[1] - 0.7) ** 2, tmp_path, 60
    )

    assert result.values[0] == 2
    assert result.score is not None
    assert result.score > 0.9
    rows = tuner.trace.make_artifact(lambda score: score).content.decode().splitlines()
    assert rows[1].split(",")[3:] == ["red", "0.5"]


@pytest.mark.slow
@pytest.mark.parametrize(("text", "score"), [(FEW, score_few), (MANY, score_many)])
def test_the_same_seed_gives_the_same_tries(text: str, score: Score, tmp_path: Path) -> None:
    def values(seed: int) -> list[Any]:
        return [each.values for each in tuned(text, score, tmp_path, 60, seed=seed)[1].trace.tries]

    assert values(3) == values(3)
    assert values(3) != values(4)


@pytest.mark.slow
def test_values_stay_in_their_range_and_whole_numbers_whole(tmp_path: Path) -> None:
    text = "a: 0.5 # tune: 0:1\nb: 3 # tune: 2:5\nc: 0.01 # tune: 1e-4:1:log\nd: 7\n"
    _, tuner = tuned(text, lambda values: sum(values), tmp_path, 60)
    for each in tuner.trace.tries:
        a, b, c, d = each.values
        assert 0 <= a <= 1
        assert 2 <= b <= 5
        assert 1e-4 <= c <= 1
        assert isinstance(b, int)
        assert isinstance(d, int)


@pytest.mark.slow
@pytest.mark.parametrize("others", [0, 20])
def test_what_breaks_the_program_or_moves_nothing_is_left_alone(
    others: int, tmp_path: Path
) -> None:
    text = "a: 0.5\nbreaks: 8\nb: 0.5\n" + "".join(f"c{n}: 2.5\n" for n in range(others))

    def score(values: Sequence[Any]) -> float | None:
        return None if values[1] != 8 else -((values[0] - 1) ** 2) - (values[2] - 2) ** 2

    result, _ = tuned(text, score, tmp_path, 150)
    assert result.screened.breaking == (1,)
    assert result.values[1] == 8
    assert result.is_better
    if others:  # many numbers are told apart
        assert len(result.screened.idle) > 15
        assert {0, 2} <= set(result.screened.kept)


@pytest.mark.slow
def test_steps_shrink_where_most_tries_fail(tmp_path: Path) -> None:
    def score(values: Sequence[Any]) -> float | None:
        away = max(abs(value - 0.5) for value in values)
        return None if away > 0.01 else sum(values)

    result, _ = tuned(MANY, score, tmp_path, 1500)
    assert result.score is not None
    assert result.score > 15.05


def test_a_start_that_fails_ends_it(tmp_path: Path) -> None:
    result, tuner = tuned(FEW, lambda _: None, tmp_path, 50)
    assert (result.start_score, result.is_better) == (None, False)
    assert len(tuner.trace.tries) == 1


def test_nothing_is_optimised_where_no_number_moves_anything(tmp_path: Path) -> None:
    result, tuner = tuned(FEW, lambda _: 1.0, tmp_path, 50)
    assert not result.is_better
    assert result.values == (0.5, 3, 0.01)
    assert len(tuner.trace.tries) == 3


def test_no_try_begins_after_the_time(tmp_path: Path) -> None:
    times = iter(range(10_000))
    _, tuner = tuned(*(FEW, score_few, tmp_path, 0), seconds=50.0, clock=lambda: float(next(times)))
    assert 5 < len(tuner.trace.tries) < 25


@pytest.mark.slow
def test_a_space_that_is_spent_ends_it(tmp_path: Path) -> None:
    result, tuner = tuned("a: 3 # tune: 1:5\n", lambda values: values[0], tmp_path, 0)
    assert result.values == (5,)
    assert len(tuner.trace.tries) == 5


def test_an_end_from_outside_keeps_the_best_so_far(tmp_path: Path) -> None:
    scores = iter([1.0, 2.0, 5.0, 3.0])

    def score(values: Sequence[Any]) -> float:
        try:
            return next(scores)
        except StopIteration:
            raise TuneEnded from None

    result, tuner = tuned(FEW, score, tmp_path, 0)
    assert (result.start_score, result.score) == (1.0, 5.0)
    assert result.values == tuner.trace.tries[2].values


@pytest.mark.slow
def test_what_an_earlier_attempt_has_found_is_gone_on_from(tmp_path: Path) -> None:
    begin = (1.1, 11, 0.002)
    result, tuner = tuned(FEW, score_few, tmp_path, 12, begin_with=begin)
    assert tuner.trace.tries[1].values == begin
    assert result.score is not None
    assert result.score >= score_few(begin)


def test_what_an_earlier_attempt_has_found_counts_when_nothing_is_left(tmp_path: Path) -> None:
    result, tuner = tuned(FEW, score_few, tmp_path, 1, begin_with=(1.1, 11, 0.002))
    assert result.is_better
    assert result.values == (1.1, 11, 0.002)
    assert len(tuner.trace.tries) == 2


@pytest.mark.slow
def test_noise_wins_nothing(tmp_path: Path) -> None:
    random = Random(5)

    def score(values: Sequence[Any]) -> float:
        return score_few(values) + random.gauss(0, 1)

    result, tuner = tuned(FEW, score, tmp_path, 60, is_noisy=True)
    assert result.score is not None
    assert score_few(result.values) > score_few((0.5, 3, 0.01))
    again = [each for each in tuner.trace.tries[60:] if each.values == result.values]
    assert len(again) == 3


@pytest.mark.slow
def test_ten_thousand_numbers_are_tuned(tmp_path: Path) -> None:
    text = "a: [" + ", ".join(["0.5"] * 10_000) + "]\n"
    result, tuner = tuned(text, lambda values: -sum(v * v for v in values), tmp_path, 150)
    assert result.is_better
    assert len(tuner.steps) == 10_000
