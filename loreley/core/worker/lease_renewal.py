"""Holding on to a claimed job: the lease is renewed until the work is done or the job is lost."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from loguru import logger

from loreley.core.jobs import Claim, JobStore
from loreley.errors import JobLost, ServiceUnavailable
from loreley.host.deadline import Stop

_RETRY_SECONDS = 1.0
_LOOK_SECONDS = 1.0  # between two looks whether the job was cancelled
_LAST_RENEWAL_SECONDS = 1.0  # for a renewal that is under way when the job ends


@contextmanager
def renew_lease(
    jobs: JobStore, claim: Claim, stop: Stop, *, lease_seconds: float
) -> Iterator[None]:
    """Renew the lease every third of it; ask ``stop`` with `JobLost` when the job is lost.

    Between renewals it looks whether the job was cancelled. Whether it is lost, the database alone
    decides: while it does not answer nobody else can take the job either, and the work goes on.
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
    third = lease_seconds / 3
    pause, is_answering, renewed_at = min(_LOOK_SECONDS, third), True, time.monotonic()
    while not done.wait(pause):
        try:
            if time.monotonic() - renewed_at + pause / 2 < third:
                jobs.require_held(claim)
                continue
            jobs.renew(claim, lease_seconds=lease_seconds)
        except JobLost as error:
            if not done.is_set():  # else the job has just ended, as it should
                stop.ask(error)
            return
        except ServiceUnavailable as error:
            if is_answering:
                logger.warning("the lease cannot be renewed at the moment: {}", error.summary)
            pause, is_answering, renewed_at = min(_RETRY_SECONDS, third), False, 0.0
        else:
            pause, is_answering = min(_LOOK_SECONDS, third), True
            renewed_at = time.monotonic()
