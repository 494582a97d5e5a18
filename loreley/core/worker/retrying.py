"""Outages in the middle of a job: waited out, so that an hour's work is not thrown away."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from loguru import logger

from loreley.core.evaluation.evaluation import Evaluation
from loreley.core.jobs import Claim, JobRecord, JobStore, JudgedCommit
from loreley.errors import JobFailed, JobInterrupted, ServiceUnavailable
from loreley.host.deadline import Deadline, Stop

_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 5.0

Result = TypeVar("Result")


def patiently(work: Callable[[], Result], deadline: Deadline) -> Result:
    """What ``work`` returns, done again after each `ServiceUnavailable`, until ``deadline``.

    Then, or when the worker is stopping, the outage is raised; and `JobLost` as soon as the
    deadline is told so.
    """
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return work()
        except ServiceUnavailable as outage:
            if deadline.remaining_seconds <= 0:
                raise
            if pause == _FIRST_PAUSE_SECONDS:
                logger.warning("waiting for a service: {}", outage.summary)
            try:
                deadline.stop.wait(min(pause, deadline.remaining_seconds))
            except JobInterrupted:
                raise outage from None
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


class PatientJobs:
    """The `JobStore` as a running job sees it: each question waits until the database answers.

    It waits until the job is lost or the worker stops; the job's time limit is for the work, not
    for writing down what came of it.
    """

    def __init__(self, jobs: JobStore, stop: Stop) -> None:
        self._jobs = jobs
        self._stop = stop

    def claim(self, job_id: str, *, worker: str, lease_seconds: float) -> Claim:
        """As `JobStore.claim`."""
        return self._asked(
            lambda: self._jobs.claim(job_id, worker=worker, lease_seconds=lease_seconds)
        )

    def renew(self, claim: Claim, *, lease_seconds: float) -> None:
        """As `JobStore.renew`, without patience: the next renewal is soon."""
        self._jobs.renew(claim, lease_seconds=lease_seconds)

    def release(self, claim: Claim) -> None:
        """As `JobStore.release`."""
        self._asked(lambda: self._jobs.release(claim))

    def succeed(self, claim: Claim, judged: JudgedCommit, record: JobRecord) -> None:
        """As `JobStore.succeed`."""
        self._asked(lambda: self._jobs.succeed(claim, judged, record))

    def remeasured(self, claim: Claim, evaluation: Evaluation, record: JobRecord) -> None:
        """As `JobStore.remeasured`."""
        self._asked(lambda: self._jobs.remeasured(claim, evaluation, record))

    def fail(self, claim: Claim, failure: JobFailed, record: JobRecord) -> None:
        """As `JobStore.fail`."""
        self._asked(lambda: self._jobs.fail(claim, failure, record))

    def announce(self, claim: Claim, tree: str) -> None:
        """As `JobStore.announce`."""
        self._asked(lambda: self._jobs.announce(claim, tree))

    def judged(self, commits: Sequence[str]) -> list[JudgedCommit]:
        """As `JobStore.judged`."""
        return self._asked(lambda: self._jobs.judged(commits))

    def _asked(self, question: Callable[[], Result]) -> Result:
        return patiently(question, Deadline(math.inf, self._stop))
