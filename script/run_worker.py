"""Run the Loreley evolution worker: one process, one Dramatiq worker, one thread."""

import os
import sys
from collections.abc import Sequence

# The folder above, so that the package is found in a bare checkout too; without pathlib, and with
# all other imports after the arguments are read, help is quick and always works.
sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120

from loreley.entry import ExitCode, run_guarded, script_parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loreley.host.signals import StopSignals


_CLEAN_UP_SECONDS = 5.0  # what is left undone, the next worker that starts does


def main(argv: Sequence[str] | None = None) -> ExitCode:
    """Work until asked to stop."""
    parser = script_parser(
        "run_worker.py",
        "Run the Loreley evolution worker: takes jobs from the queue TASKS_QUEUE_NAME,\n"
        "one at a time, until it is stopped. Ctrl+C lets the running job finish,\n"
        "a second one interrupts it and gives it back.",
    )
    arguments = parser.parse_args(argv)
    return run_guarded("worker", lambda signals: _run(signals, arguments.log_level))


def _run(signals: "StopSignals", log_level: str | None) -> ExitCode:
    from loguru import logger

    from loreley.config import Role, get_settings
    from loreley.logs import configure_logging, log_misspelt_settings

    settings = get_settings(Role.WORKER, log_level)
    log_file = configure_logging(
        "worker", level=log_level or settings.log_level, base_dir=settings.logs_base_dir
    )
    logger.info("log file: {}", log_file)
    log_misspelt_settings()
    signals.check()

    # Both read the settings when they are imported, and what fails then should be in the log.
    from loreley.tasks import workers
    from loreley.tasks.broker import broker
    from loreley.tasks.runtime import create_worker, keep_online, serve

    queue = settings.tasks_queue_name
    signals.check()
    with workers.prepare() as runner:
        signals.take_over()
        worker = create_worker(broker, queue)
        with keep_online(worker, broker, queue):
            logger.info(
                "worker online: queue {}, base clone {}, worktrees under {}",
                queue,
                runner.repository.base,
                runner.repository.worktrees,
            )
            code = serve(
                worker,
                signals,
                grace_seconds=settings.tasks_worker_grace_seconds,
                is_busy=lambda: runner.is_busy,
                interrupt=runner.interrupt,
                find_flaw=lambda: runner.flaw,
                is_draining=lambda: runner.is_draining,
            )
            signals.end_within(_CLEAN_UP_SECONDS, lambda: os._exit(code))
            return code


if __name__ == "__main__":
    sys.exit(main())
