"""The ways to search beside one another, on several seeds, as many at once as there are cores."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from typing import Any

from benchmarks.comparison import Plan
from benchmarks.search.figures import Summary, figures_of, summary_of
from benchmarks.search.run import METRIC, Habits, Run, run
from benchmarks.table import markdown
from loreley.core.worker.drawing_anew import DrawingAnew

GOAL = 2.0
WAYS = {
    "archive": "archive and islands",
    "best": "changes of the best only",
    "root": "changes of the root only",
}
HABITS = {  # of the archive, run only by name
    "single": "archive, one candidate for each job",
    "unlearnt": "archive, places are not learnt",
}
_NAMES = WAYS | HABITS
_BEST_ONLY: dict[str, Any] = {
    # An archive of a single cell holds the best commit, and nothing else.
    "mapelites_measures": [f"{METRIC}:0:3:1"],
    "mapelites_islands": 1,
}
_HEAD = (
    "benchmark",
    "way to search",
    "median best (least to most)",
    "mean best ± standard error",
    "QD score",
    "coverage",
    f"evaluations to {GOAL:.1f}",
    "runs that reached it",
)


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """Which seeds, and how many jobs, and evaluations at most, each run has."""

    seeds: Sequence[int]
    jobs: int
    ways: Sequence[str] = tuple(WAYS)


def compare_ways(plan: Plan, wanted: SearchPlan) -> list[Run]:
    """Every way to search with every seed."""
    asked = [
        (way, seed, wanted.jobs, _settings(way, wanted.jobs))
        for seed in wanted.seeds
        for way in wanted.ways
    ]
    runs: list[Run] = []
    # Not forked: nothing of this process is to be shared.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        plan.report(f"search: {len(asked)} runs of {wanted.jobs} jobs")
        for done in as_completed(
            [
                pool.submit(run, *each, evaluations=wanted.jobs, habits=_habits(each[0]))
                for each in asked
            ]
        ):
            runs.append(done.result())
            plan.report(f"search: {len(runs)} of {len(asked)}: {_describe(runs[-1])}")
    return sorted(runs, key=lambda each: (wanted.ways.index(each.way), each.seed))


def as_table(runs: Sequence[Run]) -> str:
    """A row for each way to search."""
    return markdown([_HEAD, *map(_row, _summarise_ways(runs))])


def as_mapping(runs: Sequence[Run]) -> dict[str, Any]:
    """The summaries and every run's figures, for JSON."""
    return {
        "goal": GOAL,
        "ways": [asdict(each) for each in _summarise_ways(runs)],
        "runs": [
            {"way": each.way, "seed": each.seed, "jobs": each.jobs, "seconds": each.seconds}
            | asdict(figures_of(each, GOAL))
            for each in runs
        ],
    }


def _settings(way: str, jobs: int) -> Mapping[str, Any]:
    """What a way to search sets otherwise than by default."""
    if way == "archive" or way in HABITS:
        return {}
    return _BEST_ONLY | {"mapelites_seed_population_size": jobs if way == "root" else 0}


def _habits(way: str) -> Habits:
    bounds = DrawingAnew(1 if way == "single" else DrawingAnew().most_tries, by_time=False)
    return Habits(bounds, learns_places=way != "unlearnt")


def _summarise_ways(runs: Sequence[Run]) -> list[Summary]:
    ways = dict.fromkeys(each.way for each in runs)
    return [summary_of([each for each in runs if each.way == way], GOAL) for way in ways]


def _row(each: Summary) -> tuple[str, ...]:
    soon = each.evaluations_to_goal
    return (
        "search",
        _NAMES[each.way],
        f"{each.best:.4f} ({each.least_best:.4f} to {each.most_best:.4f})",
        f"{each.mean_best:.4f} ± {each.error_of_mean:.4f}",
        f"{each.qd_score:.1f}",
        f"{each.coverage:.0%}",
        "not reached" if soon is None else f"{soon:g}",
        f"{each.reached} of {each.runs}",
    )


def _describe(done: Run) -> str:
    figures = figures_of(done, GOAL)
    return (
        f"{_NAMES[done.way]}, seed {done.seed}: best {figures.best:.4f} "
        f"in {figures.evaluations} evaluations, {done.seconds:.0f} s"
    )
