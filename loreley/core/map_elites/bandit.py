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
    successes: float = 0.0  # trials whose candidate entered the archive
    cost: float = 0.0  # seconds, or jobs where runs must repeat exactly

    def after(self, *, success: bool, cost: float, memory: float) -> "Arm":
        """The arm with one more trial; what was before counts ``memory`` (0 to 1) of it."""
        return Arm(
            self.trials * memory + 1,
            self.successes * memory + success,
            self.cost * memory + cost,
        )


def choose_arm(names: Sequence[str], arms: Mapping[str, Arm], random: Random) -> str:
    """One of ``names`` (at least one, without repetition), by success per cost.

    The same input gives the same choice.
    """
    if random.random() < _LEAST_SHARE:
        return random.choice(names)
    known = [arms.get(name, Arm()) for name in names]
    typical_cost = _mean([arm.cost / arm.trials for arm in known if arm.trials]) or 1.0
    merits = {
        name: _draw(arm, random) / _cost_of_trial(arm, typical_cost)
        for name, arm in zip(names, known, strict=True)
    }
    return max(names, key=lambda name: merits[name])


def _draw(arm: Arm, random: Random) -> float:
    """A success rate that fits what was seen."""
    failures = max(0.0, arm.trials - arm.successes)
    return random.betavariate(_PRIOR_SUCCESSES + arm.successes, _PRIOR_FAILURES + failures)


def _cost_of_trial(arm: Arm, typical: float) -> float:
    """The mean cost of a trial, one typical trial counted in."""
    return (arm.cost + typical) / (arm.trials + 1)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
