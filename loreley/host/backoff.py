"""Services that do not answer: asked again after pauses that grow."""

from collections.abc import Callable
from typing import TypeVar

from loguru import logger

from loreley.errors import JobInterrupted, ServiceUnavailable
from loreley.host.deadline import Deadline

_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 5.0

Result = TypeVar("Result")


class Backoff:
    """A pause that doubles, from the first one to the longest or the first itself."""

    def __init__(
        self, first_seconds: float, *, longest_seconds: float = _LONGEST_PAUSE_SECONDS
    ) -> None:
        self._first_seconds = first_seconds
        self._longest_seconds = max(first_seconds, longest_seconds)
        self.seconds = first_seconds

    def grow(self) -> None:
        """Make the next pause longer."""
        self.seconds = min(2 * self.seconds, self._longest_seconds)

    def reset(self) -> None:
        """Begin with the first pause again."""
        self.seconds = self._first_seconds


def retry_outages(work: Callable[[], Result], deadline: Deadline) -> Result:
    """What ``work`` returns, done again after each `ServiceUnavailable`, until ``deadline``.

    Then, or when the worker is stopping, the outage is raised; and `JobLost` as soon as the
    deadline's stop is asked with it.
    """
    backoff = Backoff(_FIRST_PAUSE_SECONDS)
    while True:
        try:
            return work()
        except ServiceUnavailable as outage:
            if deadline.remaining_seconds <= 0:
                raise
            if backoff.seconds == _FIRST_PAUSE_SECONDS:
                logger.warning("waiting for a service: {}", outage.summary)
            try:
                deadline.stop.wait(min(backoff.seconds, deadline.remaining_seconds))
            except JobInterrupted:
                raise outage from None
            backoff.grow()
