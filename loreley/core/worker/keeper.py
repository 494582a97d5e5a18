"""Holding on to a claimed job: the lease is renewed until the work is done or the job is lost."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from loguru import logger

from loreley.core.jobs import Claim, JobStore
from loreley.deadline import Stop
from loreley.errors import JobLost, ServiceUnavailable


@contextmanager
def kept(jobs: JobStore, claim: Claim, stop: Stop, *, lease_seconds: float) -> Iterator[None]:
    """Renew the lease every third of it; ask ``stop`` with `JobLost` when it cannot be held."""
    done = threading.Event()
    thread = threading.Thread(
        target=_renew, args=(jobs, claim, stop, lease_seconds, done), name="lease", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=lease_seconds)


def _renew(
    jobs: JobStore, claim: Claim, stop: Stop, lease_seconds: float, done: threading.Event
) -> None:
    held_until = time.monotonic() + lease_seconds
    while not done.wait(lease_seconds / 3):
        asked_at = time.monotonic()
        try:
            jobs.renew(claim, lease_seconds=lease_seconds)
            held_until = asked_at + lease_seconds
        except JobLost as error:
            if not done.is_set():  # else the job has just ended, as it should
                stop.ask(error)
            return
        except ServiceUnavailable as error:
            logger.warning("the lease could not be renewed: {}", error.summary)
            if time.monotonic() >= held_until:
                stop.ask(JobLost("the lease ran out while the database was away"))
                return
