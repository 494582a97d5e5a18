"""Whether a part of a change is as good as the whole: by equality, or by measuring side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import median
from typing import Protocol

from loreley.core.evaluation.paired_test import (
    EXACT_PAIRS,
    LOOKS,
    Difference,
    Verdict,
    chance_of,
    decide,
)
from loreley.core.sandbox.child_output import one_line
from loreley.errors import JobFailed

Score = Callable[[str], float]
"""Judges a commit once: its score, higher is better; raises `JobFailed` where it has none."""

_EARLY_ROUNDS = 5  # after these a part that was worse each time is given up
_DOUBT = 0.05  # a loss that luck explains less often than this is one: the part stays
_SHOWN_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """What was seen of a part."""

    is_enough: bool
    score: float | None = None
    difference: Difference | None = None  # to the root, where it was measured beside it
    reason: str = ""  # why there is no score


class Comparison(Protocol):
    """Tells whether a part carries the gain."""

    def ask(self, commit: str) -> Answer:
        """Whether the part that is committed so is enough."""
        ...


@dataclass(frozen=True, slots=True)
class Exact(Comparison):
    """For a metric without noise: one evaluation must reach a score."""

    score: Score
    least: float

    def ask(self, commit: str) -> Answer:
        """Judge the commit once."""
        try:
            score = self.score(commit)
        except JobFailed as failure:
            return _give_up(failure)
        return Answer(score >= self.least, score)


@dataclass(frozen=True, slots=True)
class SideBySide(Comparison):
    """For a noisy metric: root, whole change and part are measured in rounds, in a random order.

    A part is enough when it is confirmed as better than the root, and is not measurably worse than
    the whole change, or than the share of its gain that is to stay (Wilcoxon's signed-rank test
    for both). In doubt it is not, so that what may matter stays.
    """

    score: Score
    root: str
    whole: str
    share: float = 1.0  # of the whole's gain, that must stay; 0: the whole is not measured
    random: Random = field(default_factory=Random)

    def ask(self, commit: str) -> Answer:
        """Measure rounds until it is clear."""
        roots: list[float] = []
        goals: list[float] = []
        scores: list[float] = []
        names = [self.root, commit, *([self.whole] if self.share else [])]
        while True:
            self.random.shuffle(names)
            try:
                seen = {name: self.score(name) for name in names}
            except JobFailed as failure:
                return _give_up(failure)
            roots.append(seen[self.root])
            whole = seen.get(self.whole, 0.0)
            goals.append(self.share * whole + (1 - self.share) * seen[self.root])
            scores.append(seen[commit])
            is_enough = _decide(roots, goals, scores)
            if is_enough is not None:
                gains = [ours - theirs for theirs, ours in zip(roots, scores, strict=True)]
                return Answer(is_enough, median(scores), Difference.of(gains))


def _decide(roots: Sequence[float], goals: Sequence[float], scores: Sequence[float]) -> bool | None:
    """Whether the rounds so far show that a part is enough; None: measure more."""
    verdict = decide(roots, scores)
    if verdict is not None and len(scores) <= EXACT_PAIRS:
        return verdict is Verdict.CONFIRMED and max(goals) <= min(scores)
    if len(scores) in (_EARLY_ROUNDS, *LOOKS):
        losses = [goal - ours for goal, ours in zip(goals, scores, strict=True)]
        if chance_of(losses) <= _DOUBT:
            return False
    return None if verdict is None else verdict is Verdict.CONFIRMED


def _give_up(failure: JobFailed) -> Answer:
    problem = failure.problems[0]
    return Answer(is_enough=False, reason=one_line(problem.reason or problem.what)[:_SHOWN_LENGTH])
