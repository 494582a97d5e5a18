"""What a fitness is made of, and how two are compared; pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt

from loreley.map_elites.numbers import finite

CONFIDENCE = 2.0  # standard errors of a difference below which it may be chance
_WEIGHTED = re.compile(r"(?P<name>\S(?:.*\S)?):(?P<weight>[^:]+)")
_CONSTRAINT = re.compile(r"\s*(?P<metric>\S(?:.*\S)?)\s*(?P<sign><=|>=)\s*(?P<bound>\S+)\s*")


@dataclass(frozen=True, slots=True)
class Constraint:
    """What a candidate must fulfil to have a fitness at all."""

    metric: str
    at_most: bool  # else at least
    bound: float
    text: str = field(default="", compare=False, repr=False)  # as it was written

    @classmethod
    def parse(cls, text: str) -> "Constraint":
        """Read ``metric <= number`` or ``metric >= number``; raises `ValueError`."""
        match = _CONSTRAINT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not `metric <= number` or `metric >= number`")
        return cls(match["metric"], match["sign"] == "<=", finite(match["bound"], text), text)

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
    text: str = field(default="", compare=False, repr=False)  # as it was written

    @classmethod
    def parse(cls, text: str) -> "Term":
        """Read ``metric:weight``; raises `ValueError`."""
        match = _WEIGHTED.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not name:number")
        return cls(match["name"], finite(match["weight"], text), text)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score, higher is better, with the standard error of its measurement (0: not known)."""

    score: float
    error: float = 0.0

    def beats(self, other: "Estimate") -> bool:
        """Whether it is better by more than `CONFIDENCE` standard errors of the difference."""
        gain = self.score - other.score
        noise = self.error * self.error + other.error * other.error
        return gain > 0 and gain > CONFIDENCE * sqrt(noise)


@dataclass(frozen=True, slots=True)
class Infeasible:
    """Why an evaluation has no score."""

    reason: str
