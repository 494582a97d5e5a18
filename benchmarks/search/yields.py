"""How many jobs lead to a new judged candidate, on repositories as people have them."""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.comparison import Plan
from benchmarks.search.run import Run, Subject, run
from benchmarks.table import markdown

_PROJECTS = Path(__file__).resolve().parent.parent / "projects"
_DISTANCE = "edit_distance:0:60:12"
SUBJECTS = {
    "text_search": (
        "a text search in Python, whose tests must pass",
        Subject(_PROJECTS / "text_search", "lines", (_DISTANCE, "results:0:400:8"), False),
        100,
    ),
    "bin_packer": (
        "a bin packer in JavaScript",
        Subject(_PROJECTS / "bin_packer", "fill", (_DISTANCE, "bins:140:200:8")),
        150,
    ),
    "parameters": (
        "a file of parameters",
        Subject(_PROJECTS / "parameters", "cost", (_DISTANCE, "heat:0:1:8"), False),
        100,
    ),
}
_HEAD = (
    *("benchmark", "repository", "jobs", "judged", "yield of jobs (least to most)"),
    *("yield of evaluations", "failed", "jobs that failed", "repeated"),
)


@dataclass(frozen=True, slots=True)
class Yield:
    """What became of the jobs of one run."""

    subject: str
    jobs: int
    judged: int  # new candidates with figures
    moved: int  # of these, with another figure than their base
    failed: int  # evaluations that gave no figures
    failed_jobs: int  # that ended with one of these

    @classmethod
    def of(cls, run: Run) -> "Yield":
        """Count what a run has evaluated, without its root."""
        found = [each for each in run.evaluations[1:] if each is not None]
        failed = len(run.evaluations) - 1 - len(found)
        moved = sum(each.moved for each in found)
        return cls(run.way, run.jobs, len(found), moved, failed, failed - run.failed_tries)

    @property
    def share(self) -> float:
        """New judged candidates per job."""
        return self.judged / self.jobs

    @property
    def repeated(self) -> int:
        """Jobs without an evaluation: their candidate was known, or there was none."""
        return self.jobs - self.judged - self.failed_jobs


def measure(plan: Plan, seeds: Sequence[int], jobs: int | None) -> list[Yield]:
    """Every repository with every seed; with ``jobs`` other than the repository's own."""
    asked: list[tuple[str, int, int, dict[str, Any], Subject]] = [
        (name, seed, jobs or own, {}, subject)
        for name, (_, subject, own) in SUBJECTS.items()
        for seed in seeds
    ]
    found: list[Yield] = []
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(run, *each) for each in asked]):
            found.append(Yield.of(done.result()))
            plan.report(f"yield: {len(found)} of {len(asked)}: {found[-1]}")
    return found


def as_table(found: Sequence[Yield]) -> str:
    """A row for each repository, over all seeds."""
    rows = [[each for each in found if each.subject == name] for name in SUBJECTS]
    return markdown([_HEAD, *map(_row, filter(None, rows))])


def _row(runs: Sequence[Yield]) -> tuple[str, ...]:
    shares = [each.share for each in runs]
    jobs, judged = sum(each.jobs for each in runs), sum(each.judged for each in runs)
    failed = sum(each.failed for each in runs)
    return (
        "yield",
        SUBJECTS[runs[0].subject][0],
        str(jobs),
        f"{judged}, {sum(each.moved for each in runs)} with another figure",
        f"{judged / jobs:.0%} ({min(shares):.0%} to {max(shares):.0%})",
        f"{judged / (judged + failed):.0%} of {judged + failed}" if judged + failed else "none",
        str(failed),
        str(sum(each.failed_jobs for each in runs)),
        str(sum(each.repeated for each in runs)),
    )
