"""Print the packing as JSON: a list of ``[x, y, radius]``."""

from .radii import fitted
from .rings import centres


def packing() -> list[list[float]]:
    """The circles, in the order of the rings."""
    placed = centres()
    return [[x, y, radius] for (x, y), radius in zip(placed, fitted(placed), strict=True)]


print(packing())  # a list of numbers is JSON as it is
