"""The whole change, measured anew before any part of it is."""

from dataclasses import dataclass, field
from functools import partial
from math import inf, nextafter
from random import Random
from statistics import median
from typing import Self

from loreley.core.evaluation.confirmation import Confirmation, confirm
from loreley.core.evaluation.paired_test import Verdict
from loreley.db.confirmations import Confirmed
from loreley.errors import JobFailed, LoreleyError
from loreley.invocation import typed
from loreley.ops.results.comparison import Answer, Comparison, Exact, SideBySide
from loreley.ops.results.local_evaluator import LocalEvaluator, Measurement
from loreley.views.gains import describe_gain
from loreley.views.lineage import Lineage


class BudgetSpent(LoreleyError):
    """There were as many evaluations as were allowed."""


@dataclass(slots=True)
class Judge:
    """Judges commits once more, as often as is allowed; what was last measured is kept."""

    evaluator: LocalEvaluator
    most_evaluations: int
    measured: dict[str, Measurement] = field(default_factory=dict)

    def score(self, commit: str) -> float:
        """The commit's score, higher is better.

        Raises `JobFailed` where it has none, `BudgetSpent` and `JobInterrupted`.
        """
        if self.evaluator.evaluations >= self.most_evaluations:
            raise BudgetSpent("the evaluations are spent")
        self.measured[commit] = measurement = self.evaluator.judge(commit)
        return measurement.estimate.score

    @property
    def used(self) -> str:
        """How many evaluations there were, and how many are allowed."""
        return f"{self.evaluator.evaluations}/{self.most_evaluations}"


@dataclass(frozen=True, slots=True)
class WholeChange:
    """What was measured of the whole change, and how its parts are compared with it."""

    answer: Answer
    root_score: float
    comparison: Comparison  # whether a part carries the gain
    alone: Comparison  # whether a part is better than the root at all
    exact_pairs: int = 0  # of it and the root, without any noise; 0: not measured, or noisy

    @classmethod
    def measure(cls, judge: Judge, lineage: Lineage, share: float) -> Self:
        """Measure it once, or beside the root where the metric is noisy.

        Raises `LoreleyError` where its gain does not show again.
        """
        whole, root, objective = lineage.last.commit, lineage.root_commit, lineage.objective
        try:
            score = judge.score(whole)
        except JobFailed as failure:
            raise _gain_error(lineage, failure.summary) from failure
        if lineage.root.fitness is None:
            raise LoreleyError(
                "the root commit has no fitness", fix=f"`{typed('status')}` tells more"
            )
        root_score, difference = objective.score(lineage.root.fitness), None
        known = lineage.confirmation
        exact_pairs = known.pairs if known and known.is_confirmed else 0
        if _is_noisy(lineage, score):
            confirmation = _measure_beside_root(judge, lineage)
            root_score, difference = confirmation.root_scores[-1], confirmation.difference
            assert difference is not None  # it is confirmed
            if difference.margin > 0:
                answer = Answer(True, median(confirmation.scores), difference)
                beside = partial(SideBySide, judge.score, root, whole)
                return cls(answer, root_score, beside(share), beside(0.0))
            score, exact_pairs = confirmation.scores[-1], difference.pairs
        if score <= root_score:
            reason = f"now it is {objective.fitness(score):.6g}, no fitter than the root"
            raise _gain_error(lineage, reason)
        least = score - (1 - share) * (score - root_score)
        carries, is_better = (
            Exact(judge.score, least),
            Exact(judge.score, nextafter(root_score, inf)),
        )
        return cls(Answer(True, score), root_score, carries, is_better, exact_pairs)


def _is_noisy(lineage: Lineage, score: float) -> bool:
    """Whether anything that is known of the metric tells that it is not the same each time."""
    known = lineage.confirmation
    errors = [lineage.root.error, lineage.last.error, (known and known.margin) or 0.0]
    return any(errors) or lineage.last.fitness != lineage.objective.fitness(score)


def _measure_beside_root(judge: Judge, lineage: Lineage) -> Confirmation:
    confirmation = confirm(
        partial(judge.score, lineage.root_commit),
        partial(judge.score, lineage.last.commit),
        Random(),
        within_seconds=inf,  # the evaluations are counted
    )
    if confirmation.verdict is Verdict.CONFIRMED:
        return confirmation
    known = Confirmed(
        lineage.last.commit,
        confirmation.verdict,
        confirmation.difference,
        confirmation.reason,
        None,
    )
    raise _gain_error(lineage, describe_gain(known, lineage.objective).text)


def _gain_error(lineage: Lineage, reason: str) -> LoreleyError:
    return LoreleyError(
        "the gain does not show again",
        target=lineage.last.commit,
        reason=reason,
        fix="name another --commit, or make the metric less noisy",
    )
