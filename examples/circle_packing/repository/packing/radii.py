"""Radii that fit: inside the square, and no circle over another."""

import math

from .plan import GREED, TOUCHES

Point = tuple[float, float]


def fitted(centres: list[Point]) -> list[float]:
    """One radius for each of ``centres``, which differ from one another."""
    radii = [share * room_to_border(c) for c, (_, _, share) in zip(centres, TOUCHES, strict=True)]
    radii = settled(centres, radii)
    for _ in range(20):
        radii = grown(centres, radii)
    return [shaved(radius) for radius in settled(centres, radii)]


def room_to_border(centre: Point) -> float:
    """The largest radius that stays in the square."""
    x, y = centre
    return min(x, y, 1.0 - x, 1.0 - y)


def settled(centres: list[Point], radii: list[float]) -> list[float]:
    """Shrink circles that overlap, pair by pair and in proportion, until they touch."""
    radii = [min(radius, room_to_border(c)) for radius, c in zip(radii, centres, strict=True)]
    for i in range(len(radii)):
        for j in range(i):
            distance = math.dist(centres[i], centres[j])
            if radii[i] + radii[j] > distance:
                scale = distance / (radii[i] + radii[j])
                radii[i] *= scale
                radii[j] *= scale
    return radii


def grown(centres: list[Point], radii: list[float]) -> list[float]:
    """Let each circle in turn take a part of the room that the others leave it."""
    radii = list(radii)
    for i, centre in enumerate(centres):
        room = room_to_border(centre)
        for j, other in enumerate(centres):
            if j != i:
                room = min(room, math.dist(centre, other) - radii[j])
        radii[i] += GREED * (room - radii[i])
    return radii


def shaved(radius: float) -> float:
    """A hair less, so that rounding never makes two circles overlap."""
    return radius * (1.0 - 1e-12)
