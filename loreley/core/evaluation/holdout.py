"""What a hold-out says of root and finalist: figures that nothing was selected by; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median, stdev

_STANDARD_ERRORS = 2.0


@dataclass(frozen=True, slots=True)
class HoldoutResult:
    """The scores of a commit, higher is better; none where it failed, which then says why."""

    commit: str
    scores: tuple[float, ...] = ()
    failure: str = ""

    @property
    def score(self) -> float | None:
        """The median of its scores; None where it has none."""
        return median(self.scores) if self.scores else None

    @property
    def error(self) -> float:
        """The standard error of the mean of its scores; 0 where one cannot tell."""
        count = len(self.scores)
        return stdev(self.scores) / sqrt(count) if count > 1 else 0.0


@dataclass(frozen=True, slots=True)
class Holdout:
    """What the hold-out says of root and finalist."""

    root: HoldoutResult
    finalist: HoldoutResult

    @property
    def results(self) -> Sequence[HoldoutResult]:
        """Of both."""
        return (self.root, self.finalist)

    @property
    def gain(self) -> float | None:
        """By how much the finalist is better; positive is better. None where one has no score."""
        if self.root.score is None or self.finalist.score is None:
            return None
        return self.finalist.score - self.root.score

    @property
    def objection(self) -> str:
        """Why the finalist does not pass; empty where it does, or where the root has no score."""
        if self.root.score is None:
            return ""
        if self.gain is None:
            return self.finalist.failure
        error = sqrt(self.root.error**2 + self.finalist.error**2)
        if self.gain < -_STANDARD_ERRORS * error:
            return f"it is worse than the root by {-self.gain:.6g}"
        return ""
