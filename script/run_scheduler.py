"""Run the Loreley scheduler: decides what is tried next and remembers what was found."""

import os
import sys
from collections.abc import Sequence

# The folder above, so that the package is found in a bare checkout too; without pathlib, and with
# all other imports after the arguments are read, help is quick and always works.
sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120

from loreley.entry import ExitCode, end_at_once, run_guarded, script_parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loreley.host.signals import StopSignals

_STOP_SECONDS = 3.0  # how long a stop may take


def main(argv: Sequence[str] | None = None) -> ExitCode:
    """Schedule until the budget is spent or a stop is asked for."""
    parser = script_parser(
        "run_scheduler.py",
        "Run the Loreley scheduler: creates jobs, sends them to the queue TASKS_QUEUE_NAME,\n"
        "and keeps the best commits in the archive. Stopped at any time, it goes on\n"
        "where it was when started again.",
    )
    parser.add_argument(
        "--max-jobs",
        metavar="N",
        type=int,
        help="stop when the experiment has had N jobs;\noverrides SCHEDULER_MAX_TOTAL_JOBS",
    )
    arguments = parser.parse_args(argv)
    return run_guarded(
        "scheduler", lambda signals: _run(signals, arguments.log_level, arguments.max_jobs)
    )


def _run(signals: "StopSignals", log_level: str | None, max_jobs: int | None) -> ExitCode:
    if max_jobs is not None:
        os.environ["SCHEDULER_MAX_TOTAL_JOBS"] = str(max_jobs)

    from loguru import logger

    from loreley.config import Role, get_settings
    from loreley.logs import configure_logging, log_misspelt_settings

    settings = get_settings(Role.SCHEDULER, log_level)
    log_file = configure_logging(
        "scheduler", level=log_level or settings.log_level, base_dir=settings.logs_base_dir
    )
    logger.info("log file: {}", log_file)
    log_misspelt_settings()
    signals.check()

    # Imports the broker, which reads the settings: what fails then should be in the log.
    from loreley.scheduler.main import Scheduler

    signals.check()
    with Scheduler.opened(settings) as scheduler:
        signals.take_over()
        # A service may be silent for longer, and what a tick does can be cut off anywhere.
        signals.end_if_unheard(_STOP_SECONDS, lambda: end_at_once("scheduler"))
        logger.info("scheduler online: queue {}", settings.tasks_queue_name)
        code = scheduler.run(
            signals, poll_interval_seconds=settings.scheduler_poll_interval_seconds
        )
        signals.end_within(_STOP_SECONDS, lambda: os._exit(code))
        return code


if __name__ == "__main__":
    sys.exit(main())
