"""Two ways to do the same work, timed in turn."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Protocol

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Seconds that Loreley and the bare commands took, measurement by measurement."""

    benchmark: str
    what: str
    floor: str  # what it is compared with
    ours_seconds: tuple[float, ...]
    floor_seconds: tuple[float, ...]
    target: float | None = None  # the largest ratio that is good enough

    @property
    def ours(self) -> float:
        """Loreley's median, in seconds."""
        return median(self.ours_seconds)

    @property
    def bare(self) -> float:
        """The bare commands' median, in seconds."""
        return median(self.floor_seconds)

    @property
    def ratio(self) -> float:
        """How many times as long Loreley takes: the median over pairs of measurements.

        Steadier than the ratio of the medians on a machine whose load changes.
        """
        return median(self.ratios)

    @property
    def ratios(self) -> tuple[float, ...]:
        """The ratio of each pair of measurements that followed one another, ascending."""
        pairs = zip(self.ours_seconds, self.floor_seconds, strict=True)
        return tuple(sorted(ours / bare for ours, bare in pairs))


class Benchmark(Protocol):
    """Makes what it needs, compares, and leaves nothing behind."""

    def __call__(self, plan: "Plan") -> Iterator[Comparison]:
        """The comparisons, as they are done."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured, and who hears how far it is."""

    quick: bool
    report: Callable[[str], None]
    postgresql_url: str | None = None  # of a server where databases may be made

    def rounds(self, usual: int, *, quick: int = 2) -> int:
        """How many pairs of measurements to take."""
        return quick if self.quick else usual

    def in_turn(
        self, name: str, ours: Sequence[Work], floor: Sequence[Work]
    ) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Seconds of each piece of work, taken in the order ours, floor, ours, floor, …

        A machine that is busy for a while is so for both.
        """
        ours_seconds, floor_seconds = [], []
        for number, (one, other) in enumerate(zip(ours, floor, strict=True), start=1):
            self.report(f"{name}: {number} of {len(ours)}")
            ours_seconds.append(_seconds(one))
            floor_seconds.append(_seconds(other))
        return tuple(ours_seconds), tuple(floor_seconds)


def _seconds(work: Work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
