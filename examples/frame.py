"""What the examples have in common: settings beneath the environment, and the scripts they become.

An example is a folder with a repository to evolve and an evaluator, and a few settings. They stand
beneath the environment and `.env`; the worker and the scheduler are the same scripts that any
other repository uses.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Example:
    """A repository that comes with Loreley, and how it is evolved."""

    name: str  # of the repository that is made of the folder
    folder: Path  # holds `repository` and `evaluator.py`
    about: str
    settings: Mapping[str, str]
    jobs: int = 200
    state: Path | None = None  # a state folder of its own; None: the project's
    programs: Sequence[str] = ()  # that the evaluator needs

    def prepare(self) -> None:
        """Fill in the example's settings, and make its repository and queue ready to use.

        The environment holds what is configured otherwise.
        """
        from loreley.config import load_settings
        from loreley.ops.dotenv import set_defaults
        from loreley.ops.embedded.repository import ensure_repository
        from loreley.ops.environment import prepare_queue

        self._require_programs()
        own = {} if self.state is None else {"LORELEY_STATE_DIR": str(self.state)}
        set_defaults(own)
        state = load_settings().loreley_state_dir.expanduser().absolute()
        defaults = own | self.defaults(state)
        set_defaults(defaults)
        prepare_queue()
        if os.environ["WORKER_REPO_REMOTE_URL"] == defaults["WORKER_REPO_REMOTE_URL"]:
            ensure_repository(self.folder / "repository", state / f"{self.name}.git")

    def main(self, argv: Sequence[str] | None = None) -> int:
        """Run a part of the example, or all of it; the exit code."""
        arguments = self.arguments(argv)
        if arguments.log_level:
            os.environ["LOG_LEVEL"] = arguments.log_level  # of every process of the run
        from loreley.ops.messages import failures_as_messages

        with failures_as_messages():
            from loreley.ops.environment import become, enter_project

            enter_project(ROOT)
            self.prepare()
            if arguments.part == "worker":
                become(ROOT / "script" / "run_worker.py")
            if arguments.part == "scheduler":
                become(ROOT / "script" / "run_scheduler.py", "--max-jobs", str(arguments.jobs))
            from loreley.ops.evolve import evolve

            return evolve(ROOT / "script", jobs=arguments.jobs, workers=arguments.workers)

    def defaults(self, state: Path) -> dict[str, str]:
        """The example's settings, with everything it keeps in the folder ``state``."""
        return {
            "WORKER_REPO_REMOTE_URL": str(state / f"{self.name}.git"),
            "WORKER_REPO_WORKTREE": str(state / "worker-repo"),
            "WORKER_EVALUATOR_PLUGIN": "evaluator:evaluate",
            "WORKER_EVALUATOR_PYTHON_PATHS": str(self.folder),
            "WORKER_EVALUATOR_TIMEOUT_SECONDS": "60",
            "SCHEDULER_POLL_INTERVAL_SECONDS": "0.2",
            **self.settings,
        }

    def _require_programs(self) -> None:
        from loreley.errors import ConfigError

        missing = [program for program in self.programs if which(program) is None]
        if missing:
            raise ConfigError(
                "the example's evaluator cannot work",
                reason=f"{' and '.join(missing)} cannot be found on PATH",
                fix="install a C compiler and make, such as Debian's package build-essential",
            )

    def arguments(self, argv: Sequence[str] | None) -> argparse.Namespace:
        """What the command line says; ends the process with 2 where it makes no sense."""
        parser = argparse.ArgumentParser(description=self.about)
        parser.add_argument(
            "part",
            nargs="?",
            choices=["all", "worker", "scheduler"],
            default="all",
            help="what to run (default: all)",
        )
        parser.add_argument(
            "--jobs",
            type=_count,
            default=self.jobs,
            help="stop when the experiment has had so many jobs, earlier runs included "
            "(default: %(default)s)",
        )
        parser.add_argument(
            "--workers",
            type=_count,
            default=0,
            help="worker processes; 0, the default: one for each core",
        )
        parser.add_argument("--log-level", metavar="LEVEL", help="overrides LOG_LEVEL")
        arguments = parser.parse_args(argv)
        arguments.workers = arguments.workers or os.cpu_count() or 1
        return arguments


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of 0 or more")
    return int(text)
