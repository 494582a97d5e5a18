"""Whether a finalist is better than the root, measured side by side; pure but for the measuring."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from loreley.core.evaluation.paired_test import ALLOWED_ERROR, Difference, Verdict, decide
from loreley.errors import JobFailed

Measure = Callable[[], float]
"""Judges a commit once more: its score, higher is better; raises `JobFailed` where it has none."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the pairs of a finalist and the root have shown."""

    verdict: Verdict
    root_scores: tuple[float, ...] = ()
    scores: tuple[float, ...] = ()  # of the finalist, pair by pair
    reason: str = ""  # why they could not decide, where they could not
    difference: Difference | None = field(init=False, default=None)  # None: there is no pair

    def __post_init__(self) -> None:
        gains = [ours - theirs for theirs, ours in zip(self.root_scores, self.scores, strict=True)]
        if gains:
            object.__setattr__(self, "difference", Difference.of(gains))


def confirm(
    measure_root: Measure,
    measure_finalist: Measure,
    random: Random,
    *,
    within_seconds: float,
    allowed_error: float = ALLOWED_ERROR,
    clock: Callable[[], float] = time.monotonic,
) -> Confirmation:
    """Measure both in turn, the order of each pair drawn anew, until it is clear who is better.

    After ``within_seconds`` no further pair is begun. A finalist that cannot be judged again is
    not confirmed; neither is any where the root cannot.
    """
    root_scores: list[float] = []
    scores: list[float] = []
    end = clock() + within_seconds

    def end_with(verdict: Verdict, reason: str = "") -> Confirmation:
        return Confirmation(verdict, tuple(root_scores), tuple(scores), reason)

    while clock() < end or not scores:
        is_finalist_first = random.random() < 0.5
        pair: dict[bool, float] = {}
        for is_finalist in (is_finalist_first, not is_finalist_first):
            try:
                pair[is_finalist] = measure_finalist() if is_finalist else measure_root()
            except JobFailed as failure:
                name = "the finalist" if is_finalist else "the root commit"
                return end_with(
                    Verdict.NOT_CONFIRMED, f"{name} could not be measured again: {failure.summary}"
                )
        root_scores.append(pair[False])
        scores.append(pair[True])
        verdict = decide(root_scores, scores, allowed_error=allowed_error)
        if verdict is not None:
            return end_with(verdict)
    reason = f"{len(scores)} pairs in {within_seconds:.0f} s did not decide"
    return end_with(Verdict.NOT_CONFIRMED, reason)
