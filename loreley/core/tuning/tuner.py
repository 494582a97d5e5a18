"""Optimises all numbers of a commit together, within a budget of time or of evaluations."""

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from statistics import fmean, geometric_mean
from typing import TYPE_CHECKING

from loreley.core.agents.genetic.source.literals import Number
from loreley.core.tuning.parameters import Parameter
from loreley.core.tuning.screening import MOST_FOR_TPE, SMALL_STEP, Screened, Screening, Try
from loreley.core.tuning.trace import Attempt, Trace

if TYPE_CHECKING:
    from loreley.core.tuning.optimiser import Optimiser

_SCREENING_SHARE = 0.2  # of the tries, where these are limited
_SCREENING_TRIES = 20
_REPEATED = 100  # values that are known already, in a row: there are no others
_FINALISTS = 4
_REPEATS = 3  # of each finalist, where the score is noisy
_FINAL_SHARE = 0.2  # of the budget, where it is


@dataclass(frozen=True, slots=True)
class TuneBudget:
    """When tuning ends."""

    seconds: float
    tries: int = 0  # 0: no limit


class TuneEnded(Exception):
    """There is no time for a further try."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """What tuning has found; scores are those of tries, higher is better."""

    start_score: float | None  # None: the numbers as they are fail already
    score: float | None
    values: tuple[Number, ...]
    screened: Screened

    @property
    def is_better(self) -> bool:
        """Whether other values than those of the commit have a better score."""
        if self.start_score is None or self.score is None:
            return False
        return self.score > self.start_score


@dataclass(slots=True)
class Tuner:
    """Tries values until the budget is spent; the same scores lead to the same tries.

    ``evaluate`` may raise `TuneEnded`.
    """

    parameters: Sequence[Parameter]
    evaluate: Try
    budget: TuneBudget
    seed: int
    is_noisy: bool = False
    begin_with: tuple[Number, ...] | None = None  # what an earlier attempt has found
    climbs_left: int | None = None  # tries that move few numbers at a time; None: all of them
    clock: Callable[[], float] = time.monotonic
    trace: Trace = field(init=False)
    _known: dict[tuple[Number, ...], float | None] = field(default_factory=dict)
    _repeated: int = 0
    _places: Sequence[int] = ()
    _optimiser: "Optimiser | None" = None
    _first_steps: Sequence[float] = ()
    _end: float = 0.0

    def __post_init__(self) -> None:
        self.trace = Trace(self.parameters)
        share = 1 - _FINAL_SHARE if self.is_noisy else 1.0
        self._end = self.clock() + self.budget.seconds * share

    def tune(self) -> Tuned:
        """The best values that were found."""
        start = tuple(parameter.literal.value for parameter in self.parameters)
        screened = Screened(tuple(range(len(self.parameters))))
        start_score = self._evaluate(start)
        if start_score is None:
            return Tuned(None, None, start, screened)
        with suppress(TuneEnded):
            if self.begin_with is not None:
                self._evaluate(self.begin_with)  # though nothing is left of the budget
            elif known := tuple(
                place for place, each in enumerate(self.parameters) if each.known_step is not None
            ):
                screened = Screened(known)  # by an earlier job
            else:
                screened = self._screen(start_score)
            self._optimise(screened)
        if self.is_noisy:
            return self._choose_finalist(start, screened)
        values, score = self.best
        return Tuned(start_score, score, values, screened)

    @property
    def best(self) -> tuple[tuple[Number, ...], float]:
        """The best values so far and their score; the first of those that are equally good."""
        known = [(each.values, each.score) for each in self.trace.tries if each.score is not None]
        return max(known, key=lambda each: each[1])

    @property
    def steps(self) -> tuple[float | None, ...]:
        """How far each number is moved by now; None where that is not known."""
        steps: list[float | None] = [None] * len(self.parameters)
        known = self._optimiser.steps if self._optimiser else None
        for place, step in zip(self._places, known or self._first_steps, strict=False):
            steps[place] = step or None
        return tuple(steps)

    @property
    def shifts(self) -> tuple[float, ...]:
        """How far from the best of each number it is looked by now."""
        shifts = [0.0] * len(self.parameters)
        known = self._optimiser.shifts if self._optimiser else None
        for place, shift in zip(self._places, known or (), strict=False):
            shifts[place] = shift
        return tuple(shifts)

    def _screen(self, start_score: float) -> Screened:
        most = int(_SCREENING_SHARE * self.budget.tries) or _SCREENING_TRIES
        return Screening(self.parameters, start_score, self._try, most).screen()

    def _optimise(self, screened: Screened) -> None:
        """Try what the optimisers ask for, until the budget is spent."""
        # Not at the top: who only asks for the numbers should not wait for the libraries.
        from loreley.core.tuning.optimiser import MOST_TRIES_OF_TPE, Cma, Tpe

        places = screened.kept
        if not places:
            return
        some = [self.parameters[place] for place in places]
        for number, place in enumerate(places):
            if place in screened.fragile:
                some[number] = replace(some[number], known_step=some[number].step * SMALL_STEP)
        if len(some) <= MOST_FOR_TPE:
            tries = MOST_TRIES_OF_TPE if len(some) > 1 else sys.maxsize
            self._follow(Tpe(some, *self._pick_best(places), self.seed), places, tries)
        elif not self.is_noisy and self.climbs_left != 0:
            some = self._climb(some, places)
        self._follow(Cma(some, *self._pick_best(places), self.seed), places, sys.maxsize)

    def _climb(self, some: list[Parameter], places: Sequence[int]) -> list[Parameter]:
        """Move few numbers at a time; the parameters with the steps for moving all."""
        from loreley.core.tuning.optimiser import CLIMBS_PER_NUMBER, SHARE_OF_CLIMBS, Climber

        climber = Climber(some, *self._pick_best(places), self.seed)
        if self.climbs_left is None:
            self.climbs_left = CLIMBS_PER_NUMBER * len(some)
        others = list(self.best[0])
        while self.climbs_left:
            self._advance(climber, places, others)
            self.climbs_left -= 1
        some = _pool_steps(some, [SHARE_OF_CLIMBS * step for step in climber.steps])
        self._first_steps = [each.step for each in some]
        return some

    def _follow(self, optimiser: "Optimiser", places: Sequence[int], tries: int) -> None:
        others = list(self.best[0])
        for _ in range(tries):
            self._advance(optimiser, places, others)

    def _advance(self, optimiser: "Optimiser", places: Sequence[int], values: list[Number]) -> None:
        """Try what it asks for next, at these places among the values."""
        asked = optimiser.ask()
        for place, value in zip(places, asked, strict=True):
            values[place] = value
        optimiser.tell(asked, self._try(tuple(values)))
        self._optimiser, self._places = optimiser, places

    def _pick_best(self, places: Sequence[int]) -> tuple[tuple[Number, ...], float]:
        values, score = self.best
        return tuple(values[place] for place in places), score

    def _try(self, values: Sequence[Number]) -> float | None:
        """The score of values; raises `TuneEnded` when there is no time for it."""
        values = tuple(values)
        if values in self._known and not self.is_noisy:
            self._repeated += 1
            if self._repeated >= _REPEATED:
                raise TuneEnded
            return self._known[values]
        self._repeated = 0
        is_spent = 0 < self.budget.tries <= len(self.trace.tries)
        if is_spent or self.clock() >= self._end:
            raise TuneEnded
        return self._evaluate(values)

    def _evaluate(self, values: tuple[Number, ...]) -> float | None:
        began = self.clock()
        score = self.evaluate(values)
        self._known[values] = score
        self.trace.tries.append(Attempt(values, score, self.clock() - began))
        return score

    def _choose_finalist(self, start: tuple[Number, ...], screened: Screened) -> Tuned:
        """The best of a few that were measured again, beside the start: chance favours the best."""
        scores: dict[tuple[Number, ...], list[float]] = {}
        for each in sorted(self.trace.tries, key=lambda each: -(each.score or 0.0)):
            if each.score is not None:
                scores.setdefault(each.values, []).append(each.score)
        finalists = [start, *(values for values in scores if values != start)][: 1 + _FINALISTS]
        # What was chosen for its score says nothing by it any more.
        measured: dict[tuple[Number, ...], list[float]] = {values: [] for values in finalists}
        with suppress(TuneEnded):
            for values in finalists * _REPEATS:
                score = self._evaluate(values)
                if score is not None:
                    measured[values].append(score)
        means = {values: fmean(found) for values, found in measured.items() if found}
        if start not in means:
            return Tuned(None, None, start, screened)
        best = max(means, key=lambda values: means[values])
        return Tuned(means[start], means[best], best, screened)


def _pool_steps(some: Sequence[Parameter], steps: Sequence[float]) -> list[Parameter]:
    """The parameters with one step for those of a statement: each one's own has much of chance."""
    pooled: dict[tuple[object, bool], list[float]] = {}
    for each, step in zip(some, steps, strict=True):
        pooled.setdefault((each.group, each.is_integer), []).append(step)
    means = {key: geometric_mean(found) for key, found in pooled.items()}
    return [replace(each, known_step=means[each.group, each.is_integer]) for each in some]
