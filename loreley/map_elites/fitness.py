"""One number out of an evaluation, and the constraints that forbid one; pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot, sqrt

LARGEST_SCORE = 1e100  # squares and sums of such, and of its inverse, are numbers to a database
_CONSTRAINT = re.compile(r"\s*(?P<metric>\S(?:.*\S)?)\s*(?P<sign><=|>=)\s*(?P<bound>\S+)\s*")


@dataclass(frozen=True, slots=True)
class Constraint:
    """What a candidate must fulfil to have a fitness at all."""

    metric: str
    at_most: bool  # else at least
    bound: float

    @classmethod
    def parse(cls, text: str) -> "Constraint":
        """Read ``metric <= number`` or ``metric >= number``; raises `ValueError`."""
        match = _CONSTRAINT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not `metric <= number` or `metric >= number`")
        return cls(match["metric"], match["sign"] == "<=", float(match["bound"]))

    def holds(self, values: Mapping[str, float]) -> bool:
        """Whether the metric is there and within the bound."""
        value = values.get(self.metric)
        if value is None:
            return False
        return value <= self.bound if self.at_most else value >= self.bound

    def __str__(self) -> str:
        return f"{self.metric} {'<=' if self.at_most else '>='} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Term:
    """A metric and how much it counts; a negative weight makes less of it better."""

    metric: str
    weight: float

    @classmethod
    def parse(cls, text: str) -> "Term":
        """Read ``metric:weight``; raises `ValueError`."""
        name, separator, weight = text.rpartition(":")
        if not separator or not name.strip():
            raise ValueError(f"{text!r} is not `metric:weight`")
        return cls(name.strip(), float(weight))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score, higher is better, with the standard error of its measurement (0: not known)."""

    score: float
    error: float = 0.0

    def beats(self, other: "Estimate", *, confidence: float) -> bool:
        """Whether it is better by more than ``confidence`` standard errors of the difference."""
        gain = self.score - other.score
        return gain > 0 and gain > confidence * sqrt(self.error**2 + other.error**2)


@dataclass(frozen=True, slots=True)
class Infeasible:
    """Why an evaluation has no score."""

    reason: str


@dataclass(frozen=True, slots=True)
class Fitness:
    """A weighted sum of metrics, for candidates that keep every constraint."""

    terms: Sequence[Term]
    constraints: Sequence[Constraint] = ()

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
