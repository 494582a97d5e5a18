"""What `invoke bench` runs: the comparisons, a table on stdout, progress on stderr."""

import argparse
import os
import sys
from pathlib import Path

from loguru import logger

import benchmarks.briefs.comparison as briefs
import benchmarks.claims as claims
import benchmarks.job.comparison as job
import benchmarks.search.comparison as search
import benchmarks.search.operators as operators
import benchmarks.search.proof as proof
import benchmarks.search.yields as yields
from benchmarks.comparison import Benchmark, Plan
from benchmarks.engine import engine_per_job
from benchmarks.growth import growth
from benchmarks.spawning import sandbox_per_spawn
from benchmarks.starting import help_of_scripts, list_of_tasks
from benchmarks.table import as_json, as_table
from benchmarks.transactions import transactions
from benchmarks.tuning import tuning_per_try
from benchmarks.worktrees import worktree_per_job

BENCHMARKS: dict[str, Benchmark] = {
    "help": help_of_scripts,
    "list": list_of_tasks,
    "engine": engine_per_job,
    "tuning": tuning_per_try,
    "worktree": worktree_per_job,
    "sandbox": sandbox_per_spawn,
    "database": transactions,
    "growth": growth,
}
SEARCH, OPERATORS, CLAIMS = "search", "operators", "confirmation"  # take minutes: only by name
YIELD = "yield"  # likewise
BRIEF = "brief"  # asks the package index
JOB = "job"  # takes minutes
PROOF = "proof"  # takes an hour, and goes on where it was stopped


def main() -> int:
    """Run the chosen benchmarks."""
    arguments = _parser().parse_args()
    logger.remove()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    plan = Plan(
        arguments.quick,
        lambda text: print(text, file=sys.stderr, flush=True),
        arguments.postgresql,
    )
    names = arguments.only or list(BENCHMARKS)
    comparisons = [each for name in names if name in BENCHMARKS for each in BENCHMARKS[name](plan)]
    if comparisons:
        print(as_table(comparisons))
    runs = search.compare_ways(plan, _search_plan(arguments)) if SEARCH in names else []
    if runs:
        print(search.as_table(runs))
    if OPERATORS in names:
        jobs = arguments.jobs or (5 if arguments.quick else 150)
        print(operators.as_table(operators.measure(plan, (arguments.seeds or [1])[0], jobs)))
    if CLAIMS in names:
        jobs, pairs = arguments.jobs or (4 if arguments.quick else 40), 5 if arguments.quick else 40
        print(claims.as_table(claims.measure(plan, jobs, pairs)))
    if JOB in names:
        count = arguments.jobs or (20 if arguments.quick else 400)
        print(job.as_table(job.measure(plan, count, ["chat", "genetic"])))
    if YIELD in names:
        seeds = arguments.seeds or ([1] if arguments.quick else [1, 2, 3])
        jobs = arguments.jobs or (5 if arguments.quick else None)
        print(yields.as_table(yields.measure(plan, seeds, jobs)))
    if PROOF in names:
        courses = proof.prove(plan, _proof_plan(arguments))
        print(proof.as_table(courses))
    if BRIEF in names:
        print(briefs.as_table(briefs.compare(plan)))
    if arguments.json:
        text = as_json(comparisons, search.as_mapping(runs))
        arguments.json.write_text(f"{text}\n", encoding="utf-8")
    return 0


def _search_plan(arguments: argparse.Namespace) -> search.SearchPlan:
    """The seeds and jobs that are asked for; with ``--quick`` few of both."""
    seeds, jobs = arguments.seeds, arguments.jobs
    if seeds is None:
        seeds = [1] if arguments.quick else [1, 2, 3, 4, 5]
    jobs = jobs or (10 if arguments.quick else 400)
    return search.SearchPlan(seeds, jobs, arguments.way or tuple(search.WAYS))


def _proof_plan(arguments: argparse.Namespace) -> proof.ProofPlan:
    """The seeds and evaluations that are asked for; with ``--quick`` few of both."""
    seeds = arguments.seeds or (range(1, 3) if arguments.quick else range(1, 11))
    evaluations = arguments.jobs or (20 if arguments.quick else 200)
    return proof.ProofPlan(tuple(seeds), evaluations, arguments.results)


def _seeds(text: str) -> list[int]:
    return [int(seed) for seed in text.split(",")]


def _jobs(text: str) -> int:
    jobs = int(text)
    if jobs < 1:
        raise ValueError
    return jobs


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="invoke bench", description=__doc__)
    by_name = [SEARCH, OPERATORS, CLAIMS, YIELD, BRIEF, JOB, PROOF]
    parser.add_argument("--only", action="append", choices=[*BENCHMARKS, *by_name])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--postgresql", metavar="URL")
    parser.add_argument("--seeds", type=_seeds, metavar="1,2,…", help="of the benchmark search")
    parser.add_argument("--jobs", type=_jobs, help="of each run of the benchmark search")
    parser.add_argument("--results", type=Path, help="of proof: a folder that keeps its runs")
    parser.add_argument(
        "--way", action="append", choices=[*search.WAYS, *search.HABITS], help="only this search"
    )
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
