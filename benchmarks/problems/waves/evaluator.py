"""How near a signal comes to one that was made of four waves."""

import itertools
import math
from typing import Any

from benchmarks.problems.candidate import answer, run_python

_HIDDEN = ((0.9, 1.35, 0.4), (0.6, 2.8, 1.9), (0.45, 4.1, 2.6), (0.3, 6.2, 0.9))


def evaluate(context: Any) -> dict[str, Any]:
    """The root of the mean square of the difference, negative."""
    found = run_python(context.worktree, "waves.py", 100)
    wanted = [
        sum(height * math.sin(pace * step / 10 + phase) for height, pace, phase in _HIDDEN)
        for step in range(100)
    ]
    pairs = zip(found, wanted, strict=True)
    error = math.sqrt(sum((one - other) ** 2 for one, other in pairs) / 100)
    power = math.sqrt(sum(each**2 for each in found) / 100)
    steps = itertools.pairwise(found)
    return answer(
        score=-error,
        power=power,
        roughness=sum(abs(one - other) for one, other in steps) / 99,
    )
