"""Ways to search on several problems, with equal evaluations; what was done before is kept."""

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from scipy.stats import wilcoxon  # type: ignore[import-untyped]

from benchmarks.comparison import Plan
from benchmarks.problems import PROBLEMS, Problem
from benchmarks.search.plot import draw, quartiles
from benchmarks.search.run import Habits, Run, Subject, run
from benchmarks.table import markdown

OURS = "tuned"
WAYS = {
    OURS: "archive with tuning",
    "archive": "archive and islands",
    "best": "hill climbing on the best",
    "root": "best of N from the root",
    "random": "random",
    "numbers": "tuning of the root alone",
}
_LUCK = "luck"
_TRIES = 30  # of a job that tunes, for every ten that edit
_SIGNIFICANT = 0.05
_HEAD = ("problem", "way to search", "median", "quartiles", f"{WAYS[OURS]}: better, worse", "p")


@dataclass(frozen=True, slots=True)
class ProofPlan:
    """How much is run; finished runs are kept in a file of the folder ``results``, if given."""

    seeds: Sequence[int]
    evaluations: int
    results: Path | None = None
    problems: Sequence[str] = tuple(PROBLEMS)
    ways: Sequence[str] = tuple(WAYS)


@dataclass(frozen=True, slots=True)
class Course:
    """One run: after each evaluation, what is compared of the fittest so far."""

    problem: str
    way: str
    seed: int
    evaluations: int
    bests: tuple[float, ...]  # more is better; from the root's on


def prove(plan: Plan, wanted: ProofPlan) -> list[Course]:
    """Every way on every problem with every seed; known ones are read, not run again."""
    kept = wanted.results / "runs.jsonl" if wanted.results else None
    known = {_key(each): each for each in _read(kept)}
    asked = [
        (problem, way, seed, wanted.evaluations)
        for seed in wanted.seeds
        for problem in wanted.problems
        for way in wanted.ways
    ]
    missing = [each for each in asked if each not in known]
    plan.report(f"proof: {len(missing)} of {len(asked)} runs of {wanted.evaluations} evaluations")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for number, done in enumerate(
            as_completed([pool.submit(search, *each) for each in missing]), start=1
        ):
            course = done.result()
            known[_key(course)] = course
            if kept is not None:
                kept.parent.mkdir(parents=True, exist_ok=True)
                with kept.open("a", encoding="utf-8") as file:
                    file.write(f"{json.dumps(asdict(course))}\n")
            plan.report(
                f"proof: {number} of {len(missing)}: {course.problem}, {WAYS[course.way]}, "
                f"seed {course.seed}: {course.bests[-1]:.6g}"
            )
    courses = [known[each] for each in asked]
    if wanted.results is not None:
        for problem in wanted.problems:
            drawing = _draw(problem, courses)
            (wanted.results / f"{problem}.svg").write_text(drawing, encoding="utf-8")
    return courses


def _draw(problem: str, courses: Sequence[Course]) -> str:
    found = [each for each in courses if each.problem == problem]
    ways = dict.fromkeys(each.way for each in found)
    by_way = {WAYS[way]: [each.bests for each in found if each.way == way] for way in ways}
    return draw(PROBLEMS[problem].title, by_way)


def search(problem: str, way: str, seed: int, evaluations: int) -> Course:
    """One run; the same arguments give the same course, but for a noisy problem."""
    found = PROBLEMS[problem]
    settings = dict(found.settings) | _settings(way, found, evaluations)
    tries = evaluations if way == "numbers" else _TRIES
    habits = Habits(tries=tries, luck=_LUCK if way == "random" else "")
    jobs = 1 if way == "numbers" else evaluations
    done = run(way, seed, jobs, settings, found.subject, evaluations, habits)
    return Course(problem, way, seed, evaluations, tuple(_bests(done, evaluations)))


def as_table(courses: Sequence[Course]) -> str:
    """A row for each way on each problem, compared with ours seed by seed."""
    return markdown([_HEAD, *_rows(courses)])


def read_last(courses: Sequence[Course], problem: str, way: str) -> list[float]:
    """What each seed's run has come to, in the order of the seeds."""
    found = [each for each in courses if (each.problem, each.way) == (problem, way)]
    return [each.bests[-1] for each in sorted(found, key=lambda each: each.seed)]


def _settings(way: str, problem: Problem, evaluations: int) -> dict[str, Any]:
    """What a way to search sets otherwise than by default."""
    single: dict[str, Any] = {
        # An archive of a single cell holds the best commit, and nothing else.
        "mapelites_measures": [f"{_in_one_cell(problem.subject)}:-1e9:1e9:1"],
        "mapelites_islands": 1,
    }
    if way == "random":
        return {
            "mapelites_fitness_metric": _LUCK,
            "mapelites_fitness_weights": [],
            "mapelites_fitness_higher_is_better": True,
        }
    if way in ("best", "root"):
        return single | {"mapelites_seed_population_size": evaluations if way == "root" else 0}
    return {"worker_tune_seconds": 60} if way in (OURS, "numbers") else {}


def _in_one_cell(subject: Subject) -> str:
    return subject.measures[0].partition(":")[0]


def _bests(done: Run, evaluations: int) -> Iterator[float]:
    """What is compared of the fittest so far, after each evaluation of the budget."""
    best, figure = float("-inf"), float("-inf")
    for each in done.evaluations:
        if each is not None and each.score > best:
            best = each.score
            figure = each.score if each.figure is None else each.figure
        yield figure
    for _ in range(evaluations + 1 - len(done.evaluations)):  # nothing was left to be tried
        yield figure


def _rows(courses: Sequence[Course]) -> Iterator[tuple[str, ...]]:
    for problem in dict.fromkeys(each.problem for each in courses):
        ours = read_last(courses, problem, OURS)
        for way in dict.fromkeys(each.way for each in courses):
            theirs = read_last(courses, problem, way)
            compared = ("", "") if way == OURS or not ours else _compare(ours, theirs)
            low, usual, high = quartiles(theirs)
            yield (
                *(problem, WAYS[way], f"{usual:.4g}", f"{low:.4g} to {high:.4g}"),
                *compared,
            )


def _compare(ours: Sequence[float], theirs: Sequence[float]) -> tuple[str, str]:
    """How often ours is better and worse with the same seed, and the chance of such pairs."""
    pairs = list(zip(ours, theirs, strict=True))
    better = sum(one > other for one, other in pairs)
    worse = sum(one < other for one, other in pairs)
    if not better + worse:
        return "0, 0", "1"
    chance = float(wilcoxon(ours, theirs, zero_method="zsplit").pvalue)
    mark = " *" if chance < _SIGNIFICANT else ""
    return f"{better}, {worse}", f"{chance:.2g}{mark}"


def _read(results: Path | None) -> Iterator[Course]:
    if results is None or not results.exists():
        return
    for line in results.read_text(encoding="utf-8").splitlines():
        known = json.loads(line)
        yield Course(**known | {"bests": tuple(known["bests"])})


def _key(course: Course) -> tuple[str, str, int, int]:
    return course.problem, course.way, course.seed, course.evaluations
