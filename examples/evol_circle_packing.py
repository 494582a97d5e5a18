"""Evolve a small repository that packs 26 circles into the unit square; no key, no server.

The settings of the example stand beneath the environment and `.env`; the worker and the
scheduler are the same scripts that any other repository uses.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(1, str(ROOT))

EXAMPLE = ROOT / "examples" / "circle_packing"
DEFAULT_JOBS = 200


def settings(state: Path) -> dict[str, str]:
    """The example's settings, with everything it keeps in the folder ``state``."""
    return {
        "WORKER_REPO_REMOTE_URL": str(state / "circle-packing.git"),
        "WORKER_REPO_WORKTREE": str(state / "worker-repo"),
        "WORKER_EVALUATOR_PLUGIN": "evaluator:evaluate",
        "WORKER_EVALUATOR_PYTHON_PATHS": str(EXAMPLE),
        "WORKER_EVALUATOR_TIMEOUT_SECONDS": "60",
        "WORKER_EVOLUTION_GLOBAL_GOAL": "Pack 26 circles into the unit square so that the sum of "
        "their radii is as large as possible.",
        "MAPELITES_FITNESS_METRIC": "sum_radii",
        "MAPELITES_MEASURES": "radius_spread:0:0.7:14,edit_distance:0:120:6",
        "SCHEDULER_POLL_INTERVAL_SECONDS": "0.2",
    }


def prepare() -> None:
    """Fill in the example's settings, and make its repository and queue ready to use."""
    from loreley.config import load_settings
    from loreley.ops.embedded_repository import ensure_repository
    from loreley.ops.environment import enter_project
    from loreley.ops.environment import prepare as prepare_environment

    enter_project(ROOT)
    state = load_settings().loreley_state_dir.expanduser().absolute()
    defaults = settings(state)
    prepare_environment(ROOT, defaults)
    if os.environ["WORKER_REPO_REMOTE_URL"] == defaults["WORKER_REPO_REMOTE_URL"]:
        ensure_repository(EXAMPLE / "repository", state / "circle-packing.git")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a part of the example, or all of it; the exit code."""
    arguments = _parser().parse_args(argv)
    from loreley.ops.environment import become
    from loreley.ops.messages import failures_as_messages

    with failures_as_messages():
        prepare()
        log_level = ["--log-level", arguments.log_level] if arguments.log_level else []
        if arguments.part == "worker":
            become(ROOT / "script" / "run_worker.py", *log_level)
        if arguments.part == "scheduler":
            become(
                ROOT / "script" / "run_scheduler.py", "--max-jobs", str(arguments.jobs), *log_level
            )
        from loreley.ops.evolve import evolve

        return evolve(ROOT, jobs=arguments.jobs, workers=arguments.workers)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "part",
        nargs="?",
        choices=["all", "worker", "scheduler"],
        default="all",
        help="what to run (default: all)",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=DEFAULT_JOBS,
        help="stop when the experiment has had so many jobs, earlier runs included "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="worker processes (default: cores)"
    )
    parser.add_argument("--log-level", help="overrides LOG_LEVEL")
    return parser


if __name__ == "__main__":
    sys.exit(main())
