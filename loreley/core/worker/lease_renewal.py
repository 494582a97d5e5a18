"""Holding on to a claimed job: the lease is renewed until the work is done or the job is lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from loguru import logger

from loreley.core.jobs import Claim, JobStore
from loreley.errors import JobLost, ServiceUnavailable
from loreley.host.deadline import Stop

_RETRY_SECONDS = 1.0
_LAST_RENEWAL_SECONDS = 1.0  # for a renewal that is under way when the job ends


@contextmanager
def renew_lease(
    jobs: JobStore, claim: Claim, stop: Stop, *, lease_seconds: float
) -> Iterator[None]:
    """Renew the lease every third of it; ask ``stop`` with `JobLost` when the job is lost.

    Whether it is, the database alone decides: while it does not answer nobody else can take the
    job either, and the work goes on.
    """
    done = threading.Event()
    thread = threading.Thread(
        target=_renew, args=(jobs, claim, stop, lease_seconds, done), name="lease", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(_LAST_RENEWAL_SECONDS)


def _renew(
    jobs: JobStore, claim: Claim, stop: Stop, lease_seconds: float, done: threading.Event
) -> None:
    pause, is_answering = lease_seconds / 3, True
    while not done.wait(pause):
        try:
            jobs.renew(claim, lease_seconds=lease_seconds)
        except JobLost as error:
            if not done.is_set():  # else the job has just ended, as it should
                stop.ask(error)
            return
        except ServiceUnavailable as error:
            if is_answering:
                logger.warning("the lease cannot be renewed at the moment: {}", error.summary)
            pause, is_answering = min(_RETRY_SECONDS, lease_seconds / 3), False
        else:
            pause, is_answering = lease_seconds / 3, True
