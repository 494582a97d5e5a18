"""Measures and the cells they cut the space of candidates into; pure.

The grid is that of MAP-Elites (Mouret & Clune 2015, arXiv:1504.04909).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod


@dataclass(frozen=True, slots=True)
class Measure:
    """One axis of the grid: ``bins`` equal intervals over [``low``, ``high``]."""

    name: str
    low: float
    high: float
    bins: int

    @classmethod
    def parse(cls, text: str) -> "Measure":
        """Read ``name:low:high:bins``; the settings have validated the form."""
        name, low, high, bins = text.split(":")
        return cls(name, float(low), float(high), int(bins))

    def bin_of(self, value: float) -> int:
        """The interval ``value`` falls into, from 0; values outside go to the nearest end."""
        position = (value - self.low) / (self.high - self.low) * self.bins
        return int(min(max(position, 0), self.bins - 1))


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of an archive, numbered from 0 with the last measure varying fastest."""

    measures: tuple[Measure, ...]

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return prod(measure.bins for measure in self.measures)

    def around(self, cell: int, reach: int) -> list[int]:
        """The cells at most ``reach`` bins away on every axis, ``cell`` itself included."""
        coordinates = []
        for measure in reversed(self.measures):
            cell, coordinate = divmod(cell, measure.bins)
            coordinates.append(coordinate)
        cells = [0]
        for measure, coordinate in zip(self.measures, reversed(coordinates), strict=True):
            low = max(0, coordinate - reach)
            high = min(measure.bins - 1, coordinate + reach)
            cells = [
                prefix * measure.bins + each for prefix in cells for each in range(low, high + 1)
            ]
        return cells

    def cell_of(self, values: Sequence[float]) -> int:
        """The cell of a candidate; ``values`` are in the order of the measures."""
        index = 0
        for measure, value in zip(self.measures, values, strict=True):
            index = index * measure.bins + measure.bin_of(value)
        return index
