"""Which operator or agent the next job uses: more of what lately improved most per second; pure.

Thompson sampling (Thompson 1933) on discounted counts of success, so that an arm that was good
early and is so no longer loses its share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

_LEAST_SHARE = 0.1  # of the choices are uniform: no arm is ever given up
_PRIOR_SUCCESSES, _PRIOR_FAILURES = 1.0, 3.0


@dataclass(frozen=True, slots=True)
class Arm:
    """What an operator or agent has done; counts and seconds fade with time."""

    trials: float = 0.0
    successes: float = 0.0  # trials whose candidate improved on its base
    cost: float = 0.0  # seconds, or jobs where runs must repeat exactly

    def after(self, *, success: float, cost: float, memory: float, trials: float = 1.0) -> "Arm":
        """The arm with one more trial; what was before counts ``memory`` (0 to 1) of it.

        Several trials at once count as such, and ``success`` is how many of them succeeded.
        """
        return Arm(
            self.trials * memory + trials,
            self.successes * memory + success,
            self.cost * memory + cost,
        )


def choose_arm(weights: Mapping[str, float], arms: Mapping[str, Arm], random: Random) -> str:
    """One of the names in ``weights`` (at least one), by success per cost.

    A weight is how often an arm should be tried while little is known of it. The same input
    gives the same choice.
    """
    names = sorted(weights)
    if random.random() < _LEAST_SHARE:
        return random.choices(names, [weights[name] for name in names])[0]
    known = [arms.get(name, Arm()) for name in names]
    typical_cost = _mean([arm.cost / arm.trials for arm in known if arm.trials]) or 1.0
    typical_weight = _mean(list(weights.values()))
    merits = {
        name: _draw_success_rate(arm, weights[name] / typical_weight, random)
        / _cost_of_trial(arm, typical_cost)
        for name, arm in zip(names, known, strict=True)
    }
    return max(names, key=lambda name: merits[name])


def _draw_success_rate(arm: Arm, weight: float, random: Random) -> float:
    """A success rate that fits what was seen, and at first the arm's weight."""
    failures = max(0.0, arm.trials - arm.successes)
    return random.betavariate(_PRIOR_SUCCESSES * weight + arm.successes, _PRIOR_FAILURES + failures)


def _cost_of_trial(arm: Arm, typical: float) -> float:
    """The mean cost of a trial, one typical trial counted in."""
    return (arm.cost + typical) / (arm.trials + 1)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
