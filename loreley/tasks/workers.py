"""The actor that runs evolution jobs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dramatiq
from dramatiq.middleware import TimeLimitExceeded
from dramatiq.worker import WorkerThread
from loguru import logger

from loreley.config import get_settings
from loreley.errors import JobNotClaimed, ServiceUnavailable, WorkerUnfit
from loreley.tasks.broker import broker
from loreley.tasks.job_runner import JobRunner

_settings = get_settings()
_time_limit_seconds = _settings.tasks_worker_time_limit_seconds
_runner: JobRunner | None = None


@contextmanager
def prepare() -> Iterator[JobRunner]:
    """Check and open everything a job needs, for as long as the worker is online.

    Raises the `LoreleyError` of the first thing that is missing: Redis, the database, the
    repository's remote, the evaluator, the sandbox.
    """
    global _runner
    with JobRunner.open(get_settings()) as runner:
        _runner = runner
        try:
            yield runner
        finally:
            _runner = None


# The database decides what is run again, and a job knows its own deadline: retries and time
# limit here are the second net.
@dramatiq.actor(
    broker=broker,
    queue_name=_settings.tasks_queue_name,
    max_retries=_settings.tasks_worker_max_retries,
    time_limit=_time_limit_seconds * 1000 if _time_limit_seconds > 0 else float("inf"),
)
def run_evolution_job(job_id: str) -> None:
    """Run one job of the database; a message for a job that is not waiting is dropped."""
    if _runner is None:
        raise RuntimeError("this worker was not prepared: start it with script/run_worker.py")
    try:
        _runner.run(job_id)
    except JobNotClaimed as error:
        logger.info("message dropped: {}", error.summary)
    except WorkerUnfit:
        _take_no_other()
    except ServiceUnavailable as error:
        # The scheduler sends the job again: when nobody claims it, or when its lease is over.
        logger.error("the job could not be taken or recorded: {}", error.summary)
    except TimeLimitExceeded:
        logger.error("Dramatiq's time limit was reached: the job's own deadline went unnoticed")


def _take_no_other() -> None:
    """End Dramatiq's thread after this message: whoever serves finds the flaw a moment later."""
    thread = threading.current_thread()
    if isinstance(thread, WorkerThread):
        thread.stop()
