"""The choice among operators and agents."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loreley.map_elites.bandit import Arm, choose_arm

_ARMS = st.builds(
    Arm,
    trials=st.floats(0, 50),
    successes=st.floats(0, 50),
    cost=st.floats(0, 1e6),
)


@pytest.mark.slow
@given(
    st.dictionaries(st.text(min_size=1), st.floats(0.1, 10), min_size=1, max_size=8),
    st.dictionaries(st.text(min_size=1), _ARMS, max_size=8),
    st.integers(),
)
def test_any_statistics_give_one_of_the_names_and_always_the_same(
    weights: dict[str, float], arms: dict[str, Arm], seed: int
) -> None:
    chosen = choose_arm(weights, arms, Random(seed))

    assert chosen in weights
    assert choose_arm(weights, arms, Random(seed)) == chosen


def test_the_arm_with_more_successes_per_second_is_chosen_most() -> None:
    arms = {
        "good": Arm(40, 20, 40),
        "as good but slow": Arm(40, 20, 400),
        "bad": Arm(40, 1, 40),
    }
    random = Random(1)

    chosen = Counter(choose_arm(dict.fromkeys(arms, 1.0), arms, random) for _ in range(500))

    assert chosen["good"] > 350
    assert min(chosen.values()) > 5  # but none is given up


def test_while_nothing_is_known_weights_decide() -> None:
    random = Random(1)

    chosen = Counter(choose_arm({"often": 8.0, "seldom": 1.0}, {}, random) for _ in range(500))

    assert chosen["often"] > 2 * chosen["seldom"] > 0


def test_what_an_arm_did_long_ago_fades() -> None:
    arm = Arm()
    for _ in range(100):
        arm = arm.after(success=True, cost=1, memory=0.9)
    for _ in range(100):
        arm = arm.after(success=False, cost=1, memory=0.9)

    assert arm.successes / arm.trials < 0.01
    assert arm.trials < 10.1
