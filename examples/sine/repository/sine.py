"""The sine of an angle from 0 to a quarter turn, by arithmetic alone."""

FIRST = 1.0
THIRD = -0.1
FIFTH = 0.0


def sine(angle: float) -> float:
    """An odd polynomial in ``angle``, in radians."""
    square = angle * angle
    total = FIFTH * square
    total = (total + THIRD) * square
    total = (total + FIRST) * angle
    return total
