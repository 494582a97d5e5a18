"""Fitness as one of ten steps of colour."""

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
