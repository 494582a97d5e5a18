"""Measures and the cells they cut the space of candidates into; pure.

The grid is that of MAP-Elites (Mouret & Clune 2015, arXiv:1504.04909).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isinf, prod

from loreley.map_elites.numbers import finite

_BINS = re.compile(r"[1-9][0-9]{0,9}")


@dataclass(frozen=True, slots=True)
class Measure:
    """One axis of the grid: ``bins`` equal intervals over [``low``, ``high``]."""

    name: str
    low: float
    high: float
    bins: int
    text: str = field(default="", compare=False, repr=False)  # as it was written

    @classmethod
    def parse(cls, text: str) -> "Measure":
        """Read ``name:low:high:bins``; raises `ValueError`."""
        match text.split(":"):
            case [name, low, high, bins] if name and _BINS.fullmatch(bins):
                measure = cls(name, finite(low, text), finite(high, text), int(bins), text)
            case _:
                raise ValueError(f"{text!r} is not name:low:high:bins")
        if not measure.low < measure.high:
            raise ValueError(f"{text!r}: the low end must be below the high end")
        if isinf(measure.high - measure.low):
            raise ValueError(f"{text!r}: its ends are too far apart")
        return measure

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

    def bins_of(self, cell: int) -> tuple[int, ...]:
        """The interval on each axis, from 0, of a cell."""
        bins: list[int] = []
        for measure in reversed(self.measures):
            cell, position = divmod(cell, measure.bins)
            bins.append(position)
        return tuple(reversed(bins))

    def around(self, cell: int, reach: int) -> list[int]:
        """The cells at most ``reach`` bins away on every axis, ``cell`` itself included.

        There are up to (2 * ``reach`` + 1) to the number of axes: see `count_around`.
        """
        cells = [0]
        for measure, position in zip(self.measures, self.bins_of(cell), strict=True):
            low = max(0, position - reach)
            high = min(measure.bins - 1, position + reach)
            cells = [
                prefix * measure.bins + each for prefix in cells for each in range(low, high + 1)
            ]
        return cells

    def count_around(self, reach: int) -> int:
        """How many cells there are `around` one at the most."""
        return prod(min(measure.bins, 2 * reach + 1) for measure in self.measures)

    def steps_between(self, cell: int, other: int) -> int:
        """The bins between two cells, all axes together."""
        return sum(
            abs(here - there)
            for here, there in zip(self.bins_of(cell), self.bins_of(other), strict=True)
        )

    def cell_of(self, values: Sequence[float]) -> int:
        """The cell of a candidate; ``values`` are in the order of the measures."""
        index = 0
        for measure, value in zip(self.measures, values, strict=True):
            index = index * measure.bins + measure.bin_of(value)
        return index
