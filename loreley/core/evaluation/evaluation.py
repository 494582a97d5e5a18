"""What an evaluator says of a candidate, and what counts as a valid answer; pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import pi, sqrt
from statistics import median, stdev
from typing import Any

from loreley.errors import EvaluationFailed

MAX_NAME_LENGTH = 128
MAX_SUMMARY_LENGTH = 4_000
LARGEST_VALUE = 1e300  # the spread of a few such is still a number
MAX_ARTIFACTS = 16
AGENT_ARTIFACTS = ("prompt.md", "agent.log")  # kept for a while
# What an evaluator may draw of a candidate: shown beside it, as an image and nothing else.
PICTURE_TYPES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp")
TRACES = ("tune-trace.csv", "tune-trace.csv.gz")
OWN_ARTIFACTS = ("patch.diff", "evaluation.log", "failure.log", *TRACES, *AGENT_ARTIFACTS)

_OF_MEDIAN = sqrt(pi / 2)  # its standard error as a multiple of the mean's
_TELLING_SAMPLES = 5
_WAYS = {True: "more", False: "less"}


class InvalidEvaluation(ValueError):
    """An evaluator's answer that cannot be used; the message says which part and why."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured figure of a candidate."""

    name: str
    value: float  # finite; the median of the samples
    unit: str | None = None
    higher_is_better: bool = True
    samples: tuple[float, ...] = ()  # what it was measured as, where it was measured repeatedly
    says_direction: bool = False  # whether the evaluator did, rather than leave it out

    def __post_init__(self) -> None:
        if not self.higher_is_better:  # never by default
            object.__setattr__(self, "says_direction", True)

    @property
    def error(self) -> float:
        """The standard error of the value; 0 where one sample cannot tell.

        For a median of normally distributed samples it is √(π/2) times that of their mean.
        """
        if len(self.samples) < 2:
            return 0.0
        return float(_OF_MEDIAN * stdev(self.samples) / sqrt(len(self.samples)))

    def error_beside(self, spread: float) -> float:
        """The standard error where a measurement of the root commit scatters by ``spread``.

        Fewer than five samples tell their own spread badly: the root's counts where it is larger.
        """
        count = max(1, len(self.samples))
        if count >= _TELLING_SAMPLES:
            return self.error
        return max(self.error, spread if count == 1 else _OF_MEDIAN * spread / sqrt(count))


@dataclass(frozen=True, slots=True)
class EvaluationArtifact:
    """A file the evaluator wants kept: ``path`` is relative to the scratch folder it was given."""

    name: str
    path: str
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file kept with a job in the database: a patch, a log, a picture."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A judged candidate. Metric names are unique; order is the evaluator's."""

    summary: str
    metrics: tuple[Metric, ...]
    artifacts: tuple[EvaluationArtifact, ...] = ()
    seconds: float = 0.0

    def value(self, name: str) -> float | None:
        """The metric called ``name``, or None when the evaluator did not report it."""
        return next((metric.value for metric in self.metrics if metric.name == name), None)

    @property
    def directions(self) -> Mapping[str, bool]:
        """Whether more is better, by metric: where the evaluator says it."""
        return {each.name: each.higher_is_better for each in self.metrics if each.says_direction}

    def to_mapping(self) -> dict[str, Any]:
        """The answer as plain lists and mappings, as a plugin may return it."""
        answer = asdict(self)
        for metric in answer["metrics"]:
            if metric["higher_is_better"] and not metric["says_direction"]:
                del metric["higher_is_better"]  # the default: nobody has said so
        return answer


def merged(evaluations: Sequence[Evaluation]) -> Evaluation:
    """Several evaluations (at least one) of the same commit as one: medians of all samples.

    A metric that one of them lacks is dropped; text, artifacts and time are the last one's and
    the sum. Raises `EvaluationFailed` when two of them say different directions.
    """
    last = evaluations[-1]
    if len(evaluations) == 1:
        return last
    known: dict[str, bool] = {}
    for one in evaluations:
        require_directions(one, known)
        known |= one.directions
    metrics = []
    for metric in last.metrics:
        found = [each for one in evaluations for each in one.metrics if each.name == metric.name]
        if len(found) == len(evaluations):
            samples = tuple(sample for each in found for sample in each.samples or (each.value,))
            said = next((each for each in found if each.says_direction), metric)
            value = float(median(samples))
            metrics.append(replace(said, value=value, unit=metric.unit, samples=samples))
    return replace(last, metrics=tuple(metrics), seconds=sum(each.seconds for each in evaluations))


def require_directions(evaluation: Evaluation, known: Mapping[str, bool]) -> None:
    """Raise `EvaluationFailed` when the evaluator says another direction than is ``known``."""
    for name, higher_is_better in evaluation.directions.items():
        if known.get(name, higher_is_better) is not higher_is_better:
            raise EvaluationFailed(
                f"the evaluator says two directions of {name!r}",
                reason=f"now it says that {_WAYS[higher_is_better]} is better, where "
                f"{_WAYS[not higher_is_better]} has been so far",
                fix="let it always say the same, or leave higher_is_better out",
            )


def parse_evaluation(answer: object, *, max_metrics: int) -> Evaluation:
    """Turn an evaluator's mapping into an `Evaluation`, or raise `InvalidEvaluation`.

    ``answer`` looks like ``{"summary": "…", "metrics": [{"name": "score", "value": 1.0}]}``;
    a metric may add ``unit`` and ``higher_is_better``, the answer may add ``artifacts``.
    """
    mapping = _require_mapping(answer, "the answer")
    metrics = tuple(
        _parse_metric(entry) for entry in _require_sequence(mapping.get("metrics"), "'metrics'")
    )
    if not metrics:
        raise InvalidEvaluation("'metrics' is empty: report at least one metric")
    if len(metrics) > max_metrics:
        raise InvalidEvaluation(f"{len(metrics)} metrics reported, at most {max_metrics} allowed")
    _require_unique([metric.name for metric in metrics], "metric")

    artifacts = tuple(
        _parse_artifact(entry)
        for entry in _require_sequence(mapping.get("artifacts") or [], "'artifacts'")
    )
    if len(artifacts) > MAX_ARTIFACTS:
        raise InvalidEvaluation(f"{len(artifacts)} artifacts, at most {MAX_ARTIFACTS} allowed")
    _require_unique([*OWN_ARTIFACTS, *(artifact.name for artifact in artifacts)], "artifact")

    summary = mapping.get("summary", "")
    if not isinstance(summary, str):
        raise InvalidEvaluation(f"'summary' is {type(summary).__name__}, expected text")
    return Evaluation(_make_legible(summary)[:MAX_SUMMARY_LENGTH], metrics, artifacts)


def _parse_metric(entry: object) -> Metric:
    mapping = _require_mapping(entry, "a metric")
    name = _require_name(mapping.get("name"), "metric")
    value = mapping.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidEvaluation(
            f"metric {name!r} has value {value!r}, expected a number{_hint(value)}"
        )
    try:
        number = float(value)
    except OverflowError:
        raise InvalidEvaluation(f"metric {name!r} is too large for a float") from None
    if not math.isfinite(number):
        raise InvalidEvaluation(f"metric {name!r} is {value!r}, expected a finite number")
    if abs(number) > LARGEST_VALUE:
        raise InvalidEvaluation(f"metric {name!r} is {value!r}, beyond ±{LARGEST_VALUE:g}")
    unit = mapping.get("unit")
    if unit is not None and not isinstance(unit, str):
        raise InvalidEvaluation(f"metric {name!r} has unit {unit!r}, expected text or null")
    says_direction = "higher_is_better" in mapping
    higher_is_better = mapping.get("higher_is_better", True)
    if not isinstance(higher_is_better, bool):
        raise InvalidEvaluation(f"metric {name!r}: 'higher_is_better' must be true or false")
    unit = _make_legible(unit)[:MAX_NAME_LENGTH] if unit else None
    return Metric(name, number, unit or None, higher_is_better, says_direction=says_direction)


def _hint(value: object) -> str:
    if isinstance(value, bool):
        return ": write 1.0 for true and 0.0 for false"
    return "" if value is None else f", not {type(value).__name__}"


def _parse_artifact(entry: object) -> EvaluationArtifact:
    mapping = _require_mapping(entry, "an artifact")
    name = _require_name(mapping.get("name"), "artifact")
    path = _require_name(mapping.get("path", name), f"path of artifact {name!r}")
    media_type = _require_name(mapping.get("media_type", "application/octet-stream"), "media type")
    return EvaluationArtifact(name, path, media_type)


def _require_mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidEvaluation(f"{what} is {type(value).__name__}, expected a mapping")
    return value


def _require_sequence(value: object, what: str) -> Sequence[object]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise InvalidEvaluation(f"{what} is {type(value).__name__}, expected a list")
    return value


def _require_name(value: object, what: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidEvaluation(f"{what} name is {value!r}, expected text")
    if len(value) > MAX_NAME_LENGTH or not value.isprintable():
        raise InvalidEvaluation(
            f"{what} name {value[:32]!r} must be printable, at most {MAX_NAME_LENGTH} characters"
        )
    return value


def _make_legible(text: str) -> str:
    """The text without what a database or a terminal would choke on: NUL, half characters."""
    return "".join(char for char in text if char in "\n\t" or char.isprintable())


def _require_unique(names: Sequence[str], what: str) -> None:
    for position, name in enumerate(names):
        if name in names[:position]:
            raise InvalidEvaluation(f"{what} {name!r} is reported twice")
