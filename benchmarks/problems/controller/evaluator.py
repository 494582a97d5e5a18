"""How well a controller brings a cart to its place, with wind from the middle of the time on."""

from typing import Any

import yaml

from benchmarks.problems.candidate import answer

_STEP, _STEPS = 0.02, 500


def evaluate(context: Any) -> dict[str, Any]:
    """The distance from the place by time, and a little for the pull, negative."""
    try:
        known = yaml.safe_load((context.worktree / "controller.yaml").read_text())
        gains, limits = known["gains"], known["limits"]
        near, past, of_speed = float(gains["near"]), float(gains["past"]), float(gains["speed"])
        most, most_past = abs(float(limits["pull"])), abs(float(limits["past"]))
        smoothing = min(max(float(known["smoothing"]), 0.0), 0.999)
    except (yaml.YAMLError, TypeError, KeyError) as reason:
        raise ValueError(f"the settings cannot be read: {reason}") from None
    place = speed = total = seen = pull = 0.0
    cost = effort = overshoot = 0.0
    for step in range(_STEPS):
        seen = smoothing * seen + (1 - smoothing) * place
        error = 1.0 - seen
        total = min(max(total + error * _STEP, -most_past), most_past)
        pull = min(max(near * error + past * total - of_speed * speed, -most), most)
        wind = -0.8 if step > _STEPS // 2 else 0.0
        speed += (pull + wind - 0.3 * speed) * _STEP
        place += speed * _STEP
        cost += abs(1.0 - place) * _STEP + 0.002 * pull * pull * _STEP
        effort += abs(pull) * _STEP
        overshoot = max(overshoot, place - 1.0)
    return answer(score=-min(cost, 1e6), overshoot=overshoot, effort=effort)
