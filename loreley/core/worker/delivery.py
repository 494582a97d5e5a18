"""What is judged reaches the remote, whatever it takes: it is paid for, and never done again."""

from collections.abc import Callable

from loreley.errors import JobFailed, JobInterrupted, JobLost, LoreleyError
from loreley.host.backoff import Backoff
from loreley.host.deadline import Deadline

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0


def deliver(
    push: Callable[[], None], deadline: Deadline, tell: Callable[[LoreleyError], None]
) -> None:
    """Push until it succeeds; ``tell`` is called with each failure.

    Raises the last failure at the deadline, and what a stop was asked for with.
    """
    pause = Backoff(_FIRST_PAUSE_SECONDS, longest_seconds=_LONGEST_PAUSE_SECONDS)
    last: LoreleyError | None = None
    while True:
        try:
            push()
        except (JobLost, JobInterrupted):
            raise
        except LoreleyError as error:
            if isinstance(error, JobFailed):  # the deadline has cut the push off
                raise last or error from None
            last = error
        else:
            return
        if deadline.remaining_seconds <= 0:
            raise last
        tell(last)
        deadline.stop.wait(min(pause.seconds, deadline.remaining_seconds))
        pause.grow()
