"""Fitness as one of ten steps of colour."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from loreley.views.wording import figure

_STEPS = 10


@dataclass(frozen=True, slots=True)
class ScoreScale:
    """From the lowest to the highest score; one value alone is the highest."""

    low: float
    high: float

    @classmethod
    def of(cls, scores: Sequence[float]) -> Self:
        """The scale on which all of these fit."""
        return cls(min(scores, default=0.0), max(scores, default=0.0))

    def step(self, score: float | None) -> int:
        """The colour of a score, from 0 to 9; -1 where there is none."""
        if score is None:
            return -1
        if self.high <= self.low:
            return _STEPS - 1
        return min(_STEPS - 1, int((score - self.low) / (self.high - self.low) * _STEPS))

    def legend(self, sign: float) -> list[tuple[int, str]]:
        """Each colour with the fitness where it begins; ``sign`` turns scores into fitness."""
        width = (self.high - self.low) / _STEPS
        return [(step, figure((self.low + step * width) * sign, 4)) for step in range(_STEPS)]


@dataclass(frozen=True, slots=True)
class RankScale(ScoreScale):
    """Each colour for as many different scores: a few far off leave the others theirs."""

    values: tuple[float, ...] = ()  # ascending, each once

    @classmethod
    def of(cls, scores: Sequence[float]) -> Self:
        """The scale of these scores."""
        values = tuple(sorted(set(scores)))
        return cls(values[0] if values else 0.0, values[-1] if values else 0.0, values)

    def step(self, score: float | None) -> int:
        """The colour of a score, from 0 to 9; -1 where there is none."""
        if score is None:
            return -1
        rank = bisect_right(self.values, score) - 1
        return self._step_of(max(0, rank))

    def legend(self, sign: float) -> list[tuple[int, str]]:
        """The colours that are used, each with the fitness where it begins."""
        begins: dict[int, float] = {}
        for rank, value in enumerate(self.values):
            begins.setdefault(self._step_of(rank), value)
        steps = sorted(begins.items()) or [(_STEPS - 1, 0.0)]
        return [(step, figure(value * sign, 4)) for step, value in steps]

    def _step_of(self, rank: int) -> int:
        if len(self.values) < 2:
            return _STEPS - 1
        return round(rank * (_STEPS - 1) / (len(self.values) - 1))
