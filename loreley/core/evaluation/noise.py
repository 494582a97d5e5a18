"""How far measurements of the root commit scatter: the noise of a run in one phrase; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import hypot, sqrt
from statistics import median, stdev

from loreley.core.evaluation.evaluation import Metric
from loreley.map_elites.fitness import CONFIDENCE
from loreley.map_elites.objective import Objective

_TELLING = 5  # so many measurements, or commits, say more than that there is noise
_FAR = 8.0  # as far off as the next; of five that are normally distributed, one in 130 runs


@dataclass(frozen=True, slots=True)
class ScoreRange:
    """Between what the scores of a run's commits lie, and that of the root among them."""

    count: int
    least: float
    most: float
    root: float


@dataclass(frozen=True, slots=True)
class Noise:
    """What the root commit's measurements say of the fitness."""

    text: str  # such as "exact", or "±0.012 s (4 %)"
    spread: float | None = None  # the standard deviation of one measurement; None: not known
    measurements: int = 0
    share: float | None = None  # of the fitness that the spread is
    is_moved: bool = True  # whether any commit has another fitness than the root

    def beside(self, name: str, scores: ScoreRange) -> "Noise":
        """The same, with what the scores of the run say of it: does any stand out?"""
        if scores.count < _TELLING:
            return self
        if scores.least == scores.most:
            remark = f"none of {scores.count - 1} candidates has moved {name}"
            return replace(self.with_remark(remark), is_moved=False)
        gain = scores.most - scores.root
        if self.spread and 0 < gain < CONFIDENCE * self.spread:
            return self.with_remark("no candidate stands out of it so far")
        return self

    def with_remark(self, remark: str) -> "Noise":
        """The same, and what else is to be said."""
        return replace(self, text=f"{self.text}; {remark}")

    @property
    def is_large(self) -> bool:
        """Whether it hides all but large gains."""
        return self.share is not None and self.share > 0.1


def describe_noise(objective: Objective, metrics: Sequence[Metric]) -> Noise:
    """What these figures of the root commit say, by the fitness of each measurement."""
    measured = list_fitness(objective, metrics)
    count = len(measured)
    if count < 2:
        return Noise("not known: the root commit was measured once", measurements=count)
    if len(set(measured)) == 1:
        return Noise("exact", 0.0, count, 0.0)
    spread, middle = stdev(measured), abs(median(measured))
    unit = next((each.unit for each in metrics if each.name == objective.metric), None)
    share = spread / middle if middle else None
    text = f"±{spread:.2g}{f' {unit}' if unit else ''}"
    if share is not None:
        text += f" ({_format_percent(share)})"
    noise = Noise(text, spread, count, share)
    for remark in _find_oddities(measured[:_TELLING]):
        noise = noise.with_remark(remark)
    return noise


def describe_hosts(measured: Mapping[str, Sequence[float]], unit: str | None) -> str | None:
    """Whether hosts differ in what they measure of the root, by its fitness on each; None: no.

    They do where the medians of two differ by more than the noise of both explains.
    """
    known = {name: figures for name, figures in measured.items() if len(figures) > 1}
    if len(known) < 2:
        return None
    least, most = (choose(known, key=lambda name: median(known[name])) for choose in (min, max))
    noise = hypot(*(stdev(known[name]) / sqrt(len(known[name])) for name in (least, most)))
    low, high = median(known[least]), median(known[most])
    if high - low <= CONFIDENCE * noise:
        return None
    shown = f" {unit}" if unit else ""
    return (
        f"{most} measures the root at {high:.3g}{shown}, {least} at {low:.3g}{shown}: figures are "
        "not comparable between hosts; a confirmation is made on one"
    )


def list_fitness(objective: Objective, metrics: Sequence[Metric]) -> list[float]:
    """The fitness of each measurement; none where the metrics were not measured together."""
    by_name = {metric.name: metric for metric in metrics}
    columns = []
    for term in objective.terms:
        metric = by_name.get(term.metric)
        if metric is None:
            return []
        columns.append([term.weight * each for each in metric.samples or (metric.value,)])
    if len({len(column) for column in columns}) != 1:
        return []
    return [objective.fitness(sum(row)) for row in zip(*columns, strict=True)]


def _find_oddities(measured: Sequence[float]) -> list[str]:
    """What is said of noise that is not as usual: it drifts, or is far off now and then."""
    if len(measured) < _TELLING:
        return []
    found = []
    ways = {after > before for before, after in pairwise(measured)}
    if len(ways) == 1 and len(set(measured)) == len(measured):
        found.append(
            f"each {'more' if ways == {True} else 'less'} than the one before: it may drift"
        )
    off = sorted(abs(each - median(measured)) for each in measured)
    if off[-1] > _FAR * off[-2]:
        found.append(f"one of {len(measured)} far off: heavy-tailed")
    return found


def _format_percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 1 else f"{100 * share:.0f} %"
