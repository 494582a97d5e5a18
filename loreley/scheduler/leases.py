"""The end of leases whose worker died, but not of workers that an outage kept silent."""

import time
from collections.abc import Callable

from loguru import logger

from loreley.db.schedule import Schedule
from loreley.errors import ServiceUnavailable

_GRACE_SECONDS = 5.0
_SLOW_SECONDS = 1.0  # to ask the database; then it may not have answered workers either


class Leases:
    """Ends leases that have run out, once they were found so for a while.

    After an outage of the database every lease has run out. A worker that lives renews its own
    within moments, if it is given them: so the while counts anew after each outage.
    """

    def __init__(
        self, schedule: Schedule, *, max_attempts: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._schedule = schedule
        self._max_attempts = max_attempts
        self._clock = clock
        self._found_at: dict[str, float] = {}  # by the lease's token

    def tick(self) -> None:
        """Queue the jobs of dead workers again, or give them up after too many."""
        self._find_expired()
        found_before = self._clock() - _GRACE_SECONDS
        overdue = [token for token, at in self._found_at.items() if at <= found_before]
        if not overdue:
            return
        again, lost = self._schedule.reap(max_attempts=self._max_attempts, tokens=overdue)
        for job_id in again:
            logger.warning("job {}: its worker fell silent, queued again", job_id[:8])
        for job_id in lost:
            logger.error("job {}: lost {} workers, given up", job_id[:8], self._max_attempts)

    def _find_expired(self) -> None:
        asked_at = self._clock()
        try:
            expired = self._schedule.find_expired_leases()
        except ServiceUnavailable:
            self._found_at.clear()
            raise
        found_at = self._clock()
        known = self._found_at if found_at - asked_at < _SLOW_SECONDS else {}
        self._found_at = {token: known.get(token, found_at) for token in expired}
