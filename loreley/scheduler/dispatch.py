"""Jobs into the queue: new ones, returned ones, and ones whose message was lost."""

import time
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from loguru import logger

from loreley.db.schedule import Schedule
from loreley.host.failpoints import Failpoint, hit
from loreley.scheduler.leases import Leases

_UNANSWERED_SECONDS = 20.0
_LOOK_EVERY_SECONDS = 5.0  # at the queue's messages, which may be many


class Queue(Protocol):
    """What carries the messages."""

    def send(self, job_id: str, *, first: bool = False) -> None:
        """Put a message for the job into the queue, or before all others.

        Raises `ServiceUnavailable`.
        """
        ...

    def waiting(self) -> Collection[str]:
        """The ids of jobs whose message nobody has taken yet; raises `ServiceUnavailable`."""
        ...


class Dispatch:
    """Sends messages for queued jobs; a second one is harmless, as a claim is exclusive."""

    def __init__(
        self,
        schedule: Schedule,
        queue: Queue,
        *,
        max_attempts: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._schedule = schedule
        self._queue = queue
        self._leases = Leases(schedule, max_attempts=max_attempts, clock=clock)
        self._clock = clock
        self._look_at = clock()
        self._probe: str | None = None

    def tick_paused(self, probe: str | None) -> None:
        """End leases that ran out, and send the one job that tries whether the run may go on."""
        self._leases.tick()
        if probe is not None and probe != self._probe:
            self._schedule.queue_pending()
            self._send_all([probe])
        self._probe = probe

    def tick(self) -> int:
        """End leases that ran out and send what waits; how many messages were sent."""
        self._probe = None
        self._leases.tick()
        # The row says queued before the message exists: after a crash here it is sent again.
        sent = self._send_all(self._schedule.queue_pending())
        return sent + self._send_all(self._find_unheard())

    def _find_unheard(self) -> Sequence[str]:
        """Jobs that nobody has claimed although their message is not waiting any more.

        It was lost, or a worker took it and ended before it could claim the job.
        """
        if self._clock() < self._look_at:
            return []
        job_ids = self._schedule.find_unclaimed(older_than_seconds=_UNANSWERED_SECONDS)
        if not job_ids:
            return []
        self._look_at = self._clock() + _LOOK_EVERY_SECONDS
        waiting = self._queue.waiting()
        lost = [job_id for job_id in job_ids if job_id not in waiting]
        if lost:
            logger.warning("{} queued jobs have no message in Redis: sending again", len(lost))
        return lost

    def _send_all(self, job_ids: Sequence[str]) -> int:
        if not job_ids:
            return 0
        hit(Failpoint.QUEUED)
        sent, returned = [], self._schedule.find_returned(job_ids)
        try:
            for job_id in job_ids:
                self._queue.send(job_id, first=job_id in returned)
                sent.append(job_id)
            hit(Failpoint.SENT)
        finally:
            if sent:
                self._schedule.mark_dispatched(sent)
        return len(sent)
