"""Which of many units are needed."""

import random
from collections.abc import Sequence

import pytest

from loreley.ops.results.delta_debugging import DeltaDebugging


class Enough(Exception):
    """The test has seen enough."""


@pytest.mark.parametrize("count", [1, 2, 3, 7, 40])
def test_exactly_what_is_needed_is_kept(count: int) -> None:
    for seed in range(20):
        generator = random.Random(seed)
        needed = set(generator.sample(range(count), generator.randint(1, count)))
        search = DeltaDebugging(range(count), lambda kept, needed=needed: needed <= set(kept))  # type: ignore[misc]

        search.run()

        assert search.kept == sorted(needed)


def test_one_of_forty_takes_few_trials_and_the_same_each_time() -> None:
    def trials() -> list[list[int]]:
        tried: list[list[int]] = []

        def holds(kept: Sequence[int]) -> bool:
            tried.append(list(kept))
            return 17 in kept

        DeltaDebugging(range(40), holds).run()
        return tried

    assert len(trials()) <= 14
    assert trials() == trials()


def test_what_holds_only_together_leaves_nothing_that_could_go() -> None:
    def holds(kept: Sequence[int]) -> bool:
        return len(kept) >= 5

    search = DeltaDebugging(range(23), holds)
    search.run()

    assert len(search.kept) == 5


def test_an_end_before_its_time_leaves_what_held_last() -> None:
    count = 0

    def holds(kept: Sequence[int]) -> bool:
        nonlocal count
        count += 1
        if count > 3:
            raise Enough
        return 0 in kept

    search = DeltaDebugging(range(16), holds)
    with pytest.raises(Enough):
        search.run()

    assert search.kept == list(range(8))


def test_the_empty_rest_is_never_tried() -> None:
    def holds(kept: Sequence[int]) -> bool:
        assert kept
        return True

    search = DeltaDebugging(range(9), holds)
    search.run()

    assert len(search.kept) == 1
