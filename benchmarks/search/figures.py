"""What runs of a search come to: best, coverage, QD score and how soon a score was reached."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from benchmarks.search.run import MEASURES, Evaluated, Run
from loreley.map_elites.cells import Grid, Measure

GRID = Grid(tuple(Measure.parse(text) for text in MEASURES))


@dataclass(frozen=True, slots=True)
class Figures:
    """One run in numbers.

    Coverage and QD score are taken over all that was evaluated on one and the same grid,
    whatever archive the search itself kept: one way is not measured by the memory of another.
    """

    best: float
    coverage: float  # share of the cells that hold something
    qd_score: float  # the best score of each cell, added up
    evaluations: int
    failed: int  # evaluations
    evaluations_to_goal: int | None  # None: never reached


def figures_of(run: Run, goal: float) -> Figures:
    """The figures of one run."""
    found = [each for each in run.evaluations if each is not None]
    cells = _best_of_cells(found)
    return Figures(
        best=max((each.score for each in found), default=0.0),
        coverage=len(cells) / GRID.cells,
        qd_score=sum(cells.values()),
        evaluations=len(run.evaluations),
        failed=len(run.evaluations) - len(found),
        evaluations_to_goal=_reached(run.evaluations, goal),
    )


@dataclass(frozen=True, slots=True)
class Summary:
    """A way to search, over all seeds: medians, and more about the best of each run."""

    way: str
    best: float
    mean_best: float
    error_of_mean: float  # standard error of `mean_best`; 0 of a single run
    least_best: float
    most_best: float
    qd_score: float
    coverage: float
    reached: int  # runs that reached the goal
    runs: int
    evaluations_to_goal: float | None  # the median run's; None: that never reached it
    seconds: float


def summary_of(runs: Sequence[Run], goal: float) -> Summary:
    """The summary of one way's runs, at least one."""
    figures = [figures_of(run, goal) for run in runs]
    bests = [each.best for each in figures]
    soon = [each.evaluations_to_goal or float("inf") for each in figures]
    usual = median(soon)
    return Summary(
        way=runs[0].way,
        best=median(bests),
        mean_best=fmean(bests),
        error_of_mean=stdev(bests) / len(bests) ** 0.5 if len(bests) > 1 else 0.0,
        least_best=min(bests),
        most_best=max(bests),
        qd_score=median(each.qd_score for each in figures),
        coverage=median(each.coverage for each in figures),
        reached=sum(each.evaluations_to_goal is not None for each in figures),
        runs=len(runs),
        evaluations_to_goal=None if usual == float("inf") else usual,
        seconds=sum(run.seconds for run in runs),
    )


def _best_of_cells(found: Iterable[Evaluated]) -> dict[int, float]:
    best: dict[int, float] = {}
    for each in found:
        cell = GRID.cell_of(each.places)
        best[cell] = max(best.get(cell, each.score), each.score)
    return best


def _reached(evaluations: Sequence[Evaluated | None], goal: float) -> int | None:
    for number, each in enumerate(evaluations, start=1):
        if each is not None and each.score >= goal:
            return number
    return None
