"""Optimisers of libraries behind one face: they ask for values, and are told what came of them.

Imported when numbers are tuned only: Optuna takes half a second.
"""

import sys
from collections import deque
from collections.abc import Sequence
from math import sqrt
from random import Random
from typing import Protocol

import numpy as np
import optuna
from cmaes import SepCMA
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from loreley.core.agents.genetic.source.literals import Number
from loreley.core.tuning.parameters import Parameter

MOST_TRIES_OF_TPE = 200  # later ones take it longer than they are worth
CLIMBS_PER_NUMBER = 10  # then moving all numbers together leads further
SHARE_OF_CLIMBS = 0.4  # of a step that moved few numbers, where all are moved at once
_STARTUP = 10
_WORST = sys.float_info.max
_REACH = 10.0  # by which a number that has no range may be multiplied
_GROWTH = 2  # of the population from one restart to the next
_LARGEST_POPULATION = 200
_SMALLER = 0.5  # steps, where most of what is tried does not work
_SMALLEST = 1e-3
_WIDTH = 10.0  # in steps of one number, of a step of all numbers at first
_MOST_AT_ONCE = 6  # numbers of a line
_SECOND_GROUP = 0.3  # how often others are moved with them
_LONGER, _SHORTER = 1.5, 0.95
_GENERATIONS = 3  # whose tries show how far numbers are moved


class Optimiser(Protocol):
    """What knows better and better which values are worth a try."""

    def ask(self) -> tuple[Number, ...]:
        """Values that are to be tried."""
        ...

    def tell(self, values: Sequence[Number], score: float | None) -> None:
        """What came of the values asked for last: a score, higher is better; None: they failed."""
        ...

    @property
    def steps(self) -> tuple[float, ...] | None:
        """How far it moves each number by now; None where it has no such steps."""
        ...

    @property
    def shifts(self) -> tuple[float, ...] | None:
        """How far from the best of each number it looks by now; None: it looks there."""
        ...


class Tpe:
    """Multivariate TPE (Bergstra 2011, Falkner 2018) by Optuna: good with few tries."""

    def __init__(
        self, parameters: Sequence[Parameter], start: Sequence[Number], score: float, seed: int
    ) -> None:
        """``score`` is what ``start`` has reached."""
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.TPESampler(
            n_startup_trials=_STARTUP, multivariate=True, seed=seed % 2**32
        )
        self._study = optuna.create_study(sampler=sampler, direction="maximize")
        self._space = {
            str(number): _find_distribution(each, value)
            for number, (each, value) in enumerate(zip(parameters, start, strict=True))
        }
        self._parameters = parameters
        self._worst = score
        known = dict(zip(self._space, start, strict=True))
        self._study.add_trial(
            optuna.trial.create_trial(params=known, distributions=self._space, value=score)
        )
        self._trial: optuna.trial.Trial | None = None

    def ask(self) -> tuple[Number, ...]:
        """Values that are to be tried."""
        self._trial = self._study.ask(self._space)
        return tuple(
            each.write(self._trial.params[name])
            for name, each in zip(self._space, self._parameters, strict=True)
        )

    def tell(self, values: Sequence[Number], score: float | None) -> None:  # noqa: ARG002
        """What came of them; what failed is as bad as the worst that did not."""
        assert self._trial is not None
        self._worst = min(self._worst, self._worst if score is None else score)
        self._study.tell(self._trial, self._worst if score is None else score)

    @property
    def steps(self) -> None:
        """It has none."""
        return

    @property
    def shifts(self) -> None:
        """It has none."""
        return


class Climber:
    """Moves numbers that stand in one line, and keeps what is not worse: good at the beginning.

    A (1+1) evolution strategy whose steps grow with success, as in Rechenberg's rule of one fifth
    (1973), for each number apart.
    """

    def __init__(
        self, parameters: Sequence[Parameter], start: Sequence[Number], score: float, seed: int
    ) -> None:
        """``score`` is what ``start`` has reached."""
        self._parameters = parameters
        self._best, self._best_score = list(start), score
        self._random = Random(seed)
        self._scales = [1.0] * len(parameters)
        self._moved: list[int] = []
        self._groups: list[list[int]] = []
        line: tuple[str, int] | None = None
        for place, each in enumerate(parameters):
            if (each.path, each.line) != line or len(self._groups[-1]) == _MOST_AT_ONCE:
                line = each.path, each.line
                self._groups.append([])
            self._groups[-1].append(place)

    def ask(self) -> tuple[Number, ...]:
        """Values that are to be tried."""
        self._moved = list(self._random.choice(self._groups))
        if self._random.random() < _SECOND_GROUP:
            others = self._random.choice(self._groups)
            self._moved += [place for place in others if place not in self._moved]
        values = list(self._best)
        for place in self._moved:
            parameter = self._parameters[place]
            distance = self._scales[place] * self._random.gauss(0.0, 1.0)
            values[place] = parameter.at(parameter.distance_of(values[place]) + distance)
        return tuple(values)

    def tell(self, values: Sequence[Number], score: float | None) -> None:
        """What came of them; those that are as good are gone on from, too."""
        is_better = score is not None and score > self._best_score
        if score is None or score < self._best_score or is_better:
            for place in self._moved:
                scale = self._scales[place] * (_LONGER if is_better else _SHORTER)
                self._scales[place] = max(scale, _SMALLEST)
        if score is not None and score >= self._best_score:
            self._best, self._best_score = list(values), score

    @property
    def steps(self) -> tuple[float, ...]:
        """How far it moves each number by now."""
        pairs = zip(self._scales, self._parameters, strict=True)
        return tuple(scale * each.step for scale, each in pairs)

    @property
    def shifts(self) -> None:
        """It moves the best."""
        return


class Cma:
    """Separable CMA-ES (Ros 2008) by `cmaes`, in steps of each number's own."""

    def __init__(
        self, parameters: Sequence[Parameter], start: Sequence[Number], score: float, seed: int
    ) -> None:
        """``score`` is what ``start`` has reached."""
        self._parameters = parameters
        self._best, self._best_score = tuple(start), score
        self._seed = seed
        self._sigma = min(1.0, _WIDTH / sqrt(len(parameters)))
        self._population = 4 + int(3 * np.log(len(parameters)))
        self._asked: np.ndarray | None = None
        self._lately: deque[np.ndarray] = deque(maxlen=_GENERATIONS * self._population)
        self._told: list[tuple[np.ndarray, float]] = []
        self._begin(np.array([each.known_shift / each.step for each in parameters]))

    def ask(self) -> tuple[Number, ...]:
        """Values that are to be tried."""
        self._asked = self._strategy.ask()
        self._lately.append(self._asked)
        return tuple(
            each.at(float(distance))
            for each, distance in zip(self._parameters, self._asked, strict=True)
        )

    def tell(self, values: Sequence[Number], score: float | None) -> None:
        """What came of them; what failed ranks last."""
        assert self._asked is not None
        self._told.append((self._asked, _WORST if score is None else -score))
        if score is not None and score > self._best_score:
            self._best, self._best_score = tuple(values), score
        if len(self._told) < self._strategy.population_size:
            return
        failed = sum(loss == _WORST for _, loss in self._told)
        self._strategy.tell(self._told)
        self._told = []
        if 2 * failed > self._strategy.population_size and self._sigma > _SMALLEST:
            self._sigma *= _SMALLER
            self._begin()
        elif self._strategy.should_stop():
            self._population = min(self._population * _GROWTH, _LARGEST_POPULATION)
            self._begin()

    @property
    def steps(self) -> tuple[float, ...] | None:
        """How far it has moved each number lately; None before there were enough tries."""
        if len(self._lately) < self._population:
            return None
        spreads = np.std(np.array(self._lately), axis=0)
        return tuple(
            float(spread) * each.step
            for spread, each in zip(spreads, self._parameters, strict=True)
        )

    @property
    def shifts(self) -> tuple[float, ...]:
        """How far its mean is from the best."""
        pairs = zip(self._strategy.mean - self._find_best(), self._parameters, strict=True)
        return tuple(float(distance) * each.step for distance, each in pairs)

    def _find_best(self) -> np.ndarray:
        pairs = zip(self._parameters, self._best, strict=True)
        return np.array([each.distance_of(value) for each, value in pairs])

    def _begin(self, shift: np.ndarray | float = 0.0) -> None:
        """Begin anew, so far from where the best values are."""
        self._seed += 1
        bounds = self._find_bounds()
        mean = np.clip(self._find_best() + shift, bounds[:, 0], bounds[:, 1])
        self._strategy = SepCMA(
            mean, self._sigma, bounds=bounds, seed=self._seed % 2**32,
            population_size=self._population,
        )  # fmt: skip

    def _find_bounds(self) -> np.ndarray:
        return np.array([each.distances for each in self._parameters])


def _find_distribution(parameter: Parameter, start: Number) -> BaseDistribution:
    if parameter.literal.words:
        return CategoricalDistribution(range(len(parameter.literal.words)))
    bounds = parameter.bounds
    if bounds is not None:
        low, high, is_log = bounds.low, bounds.high, bounds.is_log
    elif start == 0:
        low, high, is_log = -_REACH * parameter.step, _REACH * parameter.step, False
    else:
        ends = sorted((start / _REACH, start * _REACH))
        low, high = ends
        is_log = start > 0
    if not parameter.is_integer:
        return FloatDistribution(float(low), float(high), log=is_log)
    least = min(int(np.ceil(low)), int(start))
    most = max(int(np.floor(high)), int(start))
    return IntDistribution(least, most, log=is_log and least > 0)
