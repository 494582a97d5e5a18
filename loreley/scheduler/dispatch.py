"""Jobs into the queue: new ones, returned ones, and ones whose message was lost."""

from collections.abc import Sequence
from typing import Protocol

from loguru import logger

from loreley.db.schedule import Schedule
from loreley.holding import Point, reached

_UNANSWERED_SECONDS = 20.0


class Queue(Protocol):
    """What carries the messages."""

    def send(self, job_id: str) -> None:
        """Put a message for the job into the queue; raises `ServiceUnavailable`."""
        ...

    def waiting(self) -> int:
        """How many messages no worker has taken yet; raises `ServiceUnavailable`."""
        ...


class Dispatch:
    """Rings the bell for queued jobs; a bell rung twice is harmless, as a claim is exclusive."""

    def __init__(self, schedule: Schedule, queue: Queue, *, max_attempts: int) -> None:
        self._schedule = schedule
        self._queue = queue
        self._max_attempts = max_attempts

    def tick(self) -> int:
        """End leases that ran out and send what waits; how many messages were sent."""
        again, lost = self._schedule.reap(max_attempts=self._max_attempts)
        for job_id in again:
            logger.warning("job {}: its worker fell silent, queued again", job_id[:8])
        for job_id in lost:
            logger.error("job {}: lost {} workers, given up", job_id[:8], self._max_attempts)
        # The row says queued before the message exists: after a crash here it is sent again.
        sent = self._send_all(self._schedule.queue())
        return sent + self._send_all(self._unheard())

    def _unheard(self) -> Sequence[str]:
        """Jobs whose message must be lost: sent long ago, while the queue holds nothing."""
        job_ids = self._schedule.unanswered(older_than_seconds=_UNANSWERED_SECONDS)
        if not job_ids or self._queue.waiting() > 0:
            return []
        logger.warning("{} queued jobs have no message in Redis: sending again", len(job_ids))
        return job_ids

    def _send_all(self, job_ids: Sequence[str]) -> int:
        if job_ids:
            reached(Point.QUEUED)
        for job_id in job_ids:
            self._queue.send(job_id)
        if job_ids:
            reached(Point.SENT)
            self._schedule.dispatched(job_ids)
        return len(job_ids)
