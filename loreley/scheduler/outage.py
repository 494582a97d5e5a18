"""A service that is away from the scheduler: reported once, and asked at growing distances."""

from loguru import logger

from loreley.errors import ServiceUnavailable
from loreley.host.backoff import Backoff


class Outage:
    """How long to wait before the next tick, by what became of those before."""

    def __init__(self, poll_interval_seconds: float) -> None:
        self._backoff = Backoff(poll_interval_seconds)
        self._reported = ""

    @property
    def pause_seconds(self) -> float:
        """Until the next tick."""
        return self._backoff.seconds

    def go_on(self, error: ServiceUnavailable) -> None:
        """A tick met a service that does not answer."""
        what = error.problems[0].what
        if what != self._reported:
            logger.warning("waiting for a service: {}", error.summary)
        self._reported = what
        self._backoff.grow()

    def end(self) -> None:
        """A tick met none."""
        if self._reported:
            logger.info("the service answers again")
        self._reported = ""
        self._backoff.reset()
