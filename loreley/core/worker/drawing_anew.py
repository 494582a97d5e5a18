"""When a candidate that was judged in vain is followed by another one within its job."""

from dataclasses import dataclass

_SHARE = 2.0  # of what the judgement of the base took, until no other one is drawn


@dataclass(frozen=True, slots=True)
class DrawingAnew:
    """Bounds what a job spends on candidates that fail."""

    most_tries: int = 5  # candidates of a job, the last one included
    by_time: bool = True  # False: in runs in which no measured time may influence a choice

    def allows(self, tries: int, failed_seconds: float, ordinary_seconds: float) -> bool:
        """Whether to draw another one after so many ``tries``, all of them judged in vain.

        Their judgement took ``failed_seconds``; that of the base commit, ``ordinary_seconds``.
        """
        if tries >= self.most_tries:
            return False
        return not self.by_time or failed_seconds < _SHARE * ordinary_seconds
