"""Centres on rings around the middle of the unit square."""

import math

from .plan import MARGIN, RINGS, TOUCHES

Point = tuple[float, float]


def centres() -> list[Point]:
    """Ring after ring, each point clipped to the square after its touch: one for each touch."""
    return [
        (clipped(x + right), clipped(y + up))
        for (x, y), (right, up, _) in zip(drawn(len(TOUCHES)), TOUCHES, strict=True)
    ]


def drawn(wanted: int) -> list[Point]:
    """The points of the rings, ``wanted`` in all."""
    points: list[Point] = []
    for ring in RINGS:
        count, distance, turn = ring
        left = wanted - len(points)
        share = left if ring is RINGS[-1] else min(count, left)
        points += [around_middle(distance, turn + step / share) for step in range(share)]
    return points


def around_middle(distance: float, turn: float) -> Point:
    """The point that a hand of length ``distance`` shows after ``turn`` full circles."""
    angle = turn * math.tau
    return 0.5 + distance * math.cos(angle), 0.5 + distance * math.sin(angle)


def clipped(position: float) -> float:
    """The nearest position that keeps the margin."""
    return min(max(position, MARGIN), 1.0 - MARGIN)
