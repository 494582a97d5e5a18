"""What an experiment seeks: what makes one candidate better than another, and what different."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import hypot
from typing import Any

from loreley.map_elites.cells import Grid, Measure
from loreley.map_elites.fitness import Constraint, Estimate, Infeasible, Term

LARGEST_SCORE = 1e100  # squares and sums of such, and of its inverse, are numbers to a database


@dataclass(frozen=True, slots=True)
class Objective:
    """The fitness with its direction and constraints, and the axes of the archive.

    A score is what is compared, and higher is better. A fitness is what people see: the score in
    the metric's own direction.
    """

    metric: str | None = None  # that is the fitness; None: a weighted sum is
    higher_is_better: bool | None = True  # None: as the evaluator says, by default true
    weights: tuple[Term, ...] = ()  # of the sum
    constraints: tuple[Constraint, ...] = ()
    measures: tuple[Measure, ...] = ()  # the axes that were named; none: those of the code
    code_axes: int = 0
    code_bins: int = 1

    @classmethod
    def from_search(cls, search: Mapping[str, Any]) -> "Objective":
        """The objective of an experiment as the database has it: by the settings' names."""
        return cls(
            metric=search.get("mapelites_fitness_metric"),
            higher_is_better=search.get("mapelites_fitness_higher_is_better", True),
            weights=tuple(map(Term.parse, search.get("mapelites_fitness_weights") or ())),
            constraints=tuple(map(Constraint.parse, search.get("mapelites_constraints") or ())),
            measures=tuple(map(Measure.parse, search.get("mapelites_measures") or ())),
            code_axes=search.get("mapelites_descriptor_axes") or 0,
            code_bins=search.get("mapelites_descriptor_bins") or 1,
        )

    def directed(self, said: Mapping[str, bool]) -> "Objective":
        """The same, the direction of the metric settled: by ``said`` where it was left open."""
        if self.higher_is_better is not None:
            return self
        return replace(self, higher_is_better=said.get(self.metric or "", True))

    @property
    def name(self) -> str:
        """What people call the fitness."""
        return self.metric or "weighted fitness"

    @property
    def terms(self) -> tuple[Term, ...]:
        """What adds up to a score."""
        if self.metric:
            return (Term(self.metric, -1.0 if self._lower_is_better else 1.0),)
        return self.weights

    @property
    def _lower_is_better(self) -> bool:
        return self.higher_is_better is False

    @property
    def directions(self) -> Mapping[str, bool]:
        """Whether more is better, by metric of the fitness."""
        return {term.metric: term.weight > 0 for term in self.terms if term.weight}

    @property
    def grid(self) -> Grid:
        """The cells of the archive."""
        axes = range(1, self.code_axes + 1)
        of_code = (Measure(f"component_{axis}", 0.0, 1.0, self.code_bins) for axis in axes)
        return Grid(self.measures or tuple(of_code))

    def fitness(self, score: float) -> float:
        """A score as people see it."""
        return 0.0 - score if self._lower_is_better else score  # never -0

    def score(self, fitness: float) -> float:
        """What is compared, of what people see."""
        return 0.0 - fitness if self._lower_is_better else fitness

    def gain(self, fitness: float | None, before: float | None) -> float | None:
        """How much better a fitness is than another, positive is better; None without one."""
        if fitness is None or before is None:
            return None
        return self.score(fitness) - self.score(before)

    def judge(
        self, values: Mapping[str, float], errors: Mapping[str, float]
    ) -> Estimate | Infeasible:
        """The score of these metrics, whose standard errors are ``errors`` (0 where absent)."""
        missing = [term.metric for term in self.terms if term.metric not in values]
        if missing:
            return Infeasible(f"the evaluation lacks {', '.join(map(repr, missing))}")
        for constraint in self.constraints:
            if not constraint.holds(values):
                found = values.get(constraint.metric)
                shown = "not reported" if found is None else f"{found:g}"
                return Infeasible(f"{constraint} does not hold: it is {shown}")
        score = sum(term.weight * values[term.metric] for term in self.terms)
        error = hypot(*(term.weight * errors.get(term.metric, 0.0) for term in self.terms))
        if not (abs(score) <= LARGEST_SCORE and error <= LARGEST_SCORE):
            return Infeasible(f"a fitness of {score:g} ± {error:g} is too large to be compared")
        return Estimate(score, error if error * LARGEST_SCORE >= 1 else 0.0)
