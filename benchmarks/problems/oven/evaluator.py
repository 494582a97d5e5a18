"""How good a loaf is, by tasters who differ."""

import itertools
from random import Random
from typing import Any

from benchmarks.problems.candidate import answer, run_python

_BEST = (255, 250, 230, 215, 210, 205, 190, 180)
_STEAM = 0.82
_NOISE = 1.5
_tasters = Random(7)


def evaluate(context: Any) -> dict[str, Any]:
    """Points out of about a hundred, with noise; and without, which the search is not led by."""
    *heat, steam = run_python(context.worktree, "schedule.py", 9)
    lost = sum(((one - best) / 12) ** 2 for one, best in zip(heat, _BEST, strict=True))
    lost += (20 * (steam - _STEAM)) ** 2
    burnt = sum(max(0.0, one - 280) for one in heat)
    points = 100 - min(lost + burnt, 1e6)
    changes = [abs(one - other) for one, other in itertools.pairwise(heat)]
    return answer(
        score=points + _tasters.gauss(0, _NOISE),
        without_noise=points,
        heat=sum(heat) / 8,
        change=max(changes),
    )
