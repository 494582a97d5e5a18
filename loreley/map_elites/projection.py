"""From many dimensions to the few axes of an archive; pure.

Principal components (Pearson 1901) of the vectors seen so far, each scaled to [0, 1] over their
range. A refit keeps the axes' order and direction as near to the last ones as it can, so that a
cell goes on meaning much the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

    Matrix = numpy.ndarray[Any, numpy.dtype[numpy.float64]]

_MARGIN = 0.25  # of the range seen, kept free at both ends for what is yet to come


@dataclass(frozen=True, slots=True)
class Projection:
    """``axes`` linear functions of a vector; each row of ``components`` has length one."""

    mean: tuple[float, ...]
    components: tuple[tuple[float, ...], ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    fitted_on: int  # how many commits there were, those without a place included

    def to_mapping(self) -> dict[str, Any]:
        """The projection as plain lists, to be kept as JSON."""
        return asdict(self)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "Projection":
        """The projection of a `to_mapping`."""
        return cls(
            mean=tuple(mapping["mean"]),
            components=tuple(map(tuple, mapping["components"])),
            low=tuple(mapping["low"]),
            high=tuple(mapping["high"]),
            fitted_on=mapping["fitted_on"],
        )

    def project(self, vectors: Sequence[Sequence[float]]) -> "Matrix":
        """The vectors' places, shape (vectors, axes); mostly but not surely in [0, 1]."""
        import numpy as np  # a tenth of a second that only a scheduler pays

        centred = np.asarray(vectors, dtype=np.float64) - np.asarray(self.mean)
        low, high = np.asarray(self.low), np.asarray(self.high)
        places: Matrix = (centred @ np.asarray(self.components).T - low) / (high - low)
        return places


def fit(
    vectors: Sequence[Sequence[float]], axes: int, previous: Projection | None = None
) -> Projection:
    """The projection that spreads these vectors most; works from one vector on."""
    import numpy as np

    matrix = np.asarray(vectors, dtype=np.float64)
    mean = matrix.mean(axis=0)
    centred = matrix - mean
    _, columns = np.linalg.eigh(centred.T @ centred)  # ascending
    components = _align(columns.T[::-1][:axes], previous)
    places = centred @ components.T
    low, high = places.min(axis=0), places.max(axis=0)
    width = np.maximum(high - low, 1e-6)
    return Projection(
        mean=tuple(map(float, mean)),
        components=tuple(tuple(map(float, row)) for row in components),
        low=tuple(map(float, low - _MARGIN * width)),
        high=tuple(map(float, high + _MARGIN * width)),
        fitted_on=len(matrix),
    )


def _align(components: "Matrix", previous: Projection | None) -> "Matrix":
    """The same axes, ordered and signed like those of ``previous`` where they resemble them."""
    import numpy as np

    if previous is None or len(previous.components) != len(components):
        # Signs of an SVD are arbitrary: let the largest part of each be positive.
        largest = components[np.arange(len(components)), np.abs(components).argmax(axis=1)]
        signed: Matrix = components * np.sign(largest)[:, None]
        return signed
    likeness = components @ np.asarray(previous.components).T
    order: list[int] = []
    for axis in range(len(components)):
        free = [row for row in range(len(components)) if row not in order]
        order.append(max(free, key=lambda row: abs(float(likeness[row, axis]))))
    signs = np.sign([likeness[row, axis] for axis, row in enumerate(order)])
    aligned: Matrix = components[order] * np.where(signs == 0, 1.0, signs)[:, None]
    return aligned
