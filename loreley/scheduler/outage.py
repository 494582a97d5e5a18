"""A service that is away from the scheduler: told once, and asked at growing distances."""

from loguru import logger

from loreley.errors import ServiceUnavailable

_LONGEST_PAUSE_SECONDS = 5.0


class Outage:
    """How long to wait before the next tick, by what became of those before."""

    def __init__(self, poll_interval_seconds: float) -> None:
        self._usual_seconds = poll_interval_seconds
        self._told = ""
        self.pause_seconds = poll_interval_seconds

    def go_on(self, error: ServiceUnavailable) -> None:
        """A tick met a service that does not answer."""
        what = error.problems[0].what
        if what != self._told:
            logger.warning("waiting for a service: {}", error.summary)
        self._told = what
        longest = max(self._usual_seconds, _LONGEST_PAUSE_SECONDS)
        self.pause_seconds = min(2 * self.pause_seconds, longest)

    def end(self) -> None:
        """A tick met none."""
        if self._told:
            logger.info("the service answers again")
        self._told = ""
        self.pause_seconds = self._usual_seconds
