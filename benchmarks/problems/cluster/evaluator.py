"""The energy of atoms by the potential of Lennard and Jones; seven reach -16.505 at the least."""

import math
from itertools import combinations
from typing import Any

from benchmarks.problems.candidate import answer, run_python

_LEAST_DISTANCE = 0.5  # nearer atoms count as so near: the energy stays a number


def evaluate(context: Any) -> dict[str, Any]:
    """The energy, negative."""
    numbers = run_python(context.worktree, "atoms.py", 21)
    atoms = [numbers[place : place + 3] for place in range(0, 21, 3)]
    distances = [math.dist(one, other) for one, other in combinations(atoms, 2)]
    energy = 0.0
    for distance in distances:
        sixth = max(distance, _LEAST_DISTANCE) ** -6
        energy += 4 * (sixth * sixth - sixth)
    width = sum(distances) / len(distances)
    return answer(
        score=-energy, width=min(width, 1e6), depth=min(distances) / max(*distances, 1e-9)
    )
