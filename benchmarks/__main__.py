"""What `invoke bench` runs: the comparisons, a table on stdout, progress on stderr."""

import argparse
import os
import sys
from pathlib import Path

from loguru import logger

from benchmarks.comparison import Benchmark, Plan
from benchmarks.engine import engine_per_job
from benchmarks.growth import growth
from benchmarks.spawning import sandbox_per_spawn
from benchmarks.starting import help_of_scripts, list_of_tasks
from benchmarks.table import as_json, as_table
from benchmarks.transactions import transactions
from benchmarks.worktrees import worktree_per_job

BENCHMARKS: dict[str, Benchmark] = {
    "help": help_of_scripts,
    "list": list_of_tasks,
    "engine": engine_per_job,
    "worktree": worktree_per_job,
    "sandbox": sandbox_per_spawn,
    "database": transactions,
    "growth": growth,
}


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
    comparisons = [each for name in names for each in BENCHMARKS[name](plan)]
    print(as_table(comparisons))
    if arguments.json:
        arguments.json.write_text(as_json(comparisons) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="invoke bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(BENCHMARKS))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--postgresql", metavar="URL")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
