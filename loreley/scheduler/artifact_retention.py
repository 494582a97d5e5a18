"""Now and then deletes what is kept for a while only."""

import time
from collections.abc import Callable

from loguru import logger

from loreley.db.engine import Database
from loreley.db.retention import forget_agent_artifacts

_EVERY_SECONDS = 600.0


class Retention:
    """The prompts and answers of agents are deleted when they are too old."""

    def __init__(
        self, database: Database, ttl_hours: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``ttl_hours``: 0 keeps everything for ever."""
        self._database = database
        self._ttl_hours = ttl_hours
        self._clock = clock
        self._next = clock()

    def tick(self) -> None:
        """Delete what is too old, at the first call and every ten minutes."""
        if self._ttl_hours <= 0 or self._clock() < self._next:
            return
        self._next = self._clock() + _EVERY_SECONDS
        count = forget_agent_artifacts(self._database, older_than_hours=self._ttl_hours)
        if count:
            logger.info("deleted {} texts of agents older than {:g} h", count, self._ttl_hours)
