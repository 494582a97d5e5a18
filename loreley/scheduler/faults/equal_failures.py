"""The brake: failures in a row that say the same, over all workers, end the run."""

import math
from collections import Counter

from loreley.core.jobs import JobState
from loreley.db.schedule import EndedJob
from loreley.errors import RunBraked
from loreley.invocation import typed
from loreley.likeness import likeness

_EXPECTED_SHARE = 0.5  # of such failures where nothing is known yet
_TWIN = "the same tree"  # costs the genetic agent nothing, and small programs have few changes


class EqualFailures:
    """Counts since the start of the scheduler.

    Where a failure was common among earlier jobs, it takes more of them in a row: as many as are
    no more likely by chance than ``limit`` of one that every other job meets.
    """

    def __init__(self, limit: int) -> None:
        """``limit``: how many in a row end the run; 0: none do."""
        self._limit = limit
        self._seen: Counter[str] = Counter()  # all that had ended before the latest in a row
        self._last = ""
        self._failure: EndedJob | None = None
        self._in_a_row = 0

    def note(self, job: EndedJob) -> None:
        """Count a job that has ended."""
        if not job.kind.changes_base or job.state is JobState.CANCELLED or _is_free(job):
            return
        found = "" if job.state is JobState.SUCCEEDED else likeness(f"{job.state} {job.failure}")
        if found != self._last:
            self._seen[self._last] += self._in_a_row
            self._last, self._in_a_row = found, 0
        self._in_a_row += 1
        self._failure = job if found else None

    @property
    def room(self) -> int | None:
        """How many jobs may be under way, so that no more fail than must; None: any number."""
        if not self._limit or self._failure is None:
            return None
        return max(0, self._needed - self._in_a_row)

    def require_progress(self) -> None:
        """Raise `RunBraked` when there were too many."""
        if self._failure is not None and self.room == 0:
            failure = self._failure
            raise RunBraked(
                f"the last {self._in_a_row} jobs failed alike, so the run ends",
                reason=failure.failure or failure.state,
                fix=failure.fix
                or f"`{typed(f'job {failure.job_id[:8]}')}` shows what it was told and printed; if "
                "such failures are to be expected, raise SCHEDULER_MAX_EQUAL_FAILURES",
            )

    @property
    def _needed(self) -> int:
        earlier = sum(self._seen.values())
        share = (self._seen[self._last] + 1) / (earlier + 2)
        by_chance = self._limit * math.log(_EXPECTED_SHARE) / math.log(share)
        return max(self._limit, math.ceil(by_chance - 1e-9))


def _is_free(job: EndedJob) -> bool:
    return (
        job.agent == "genetic" and job.state is JobState.REJECTED and _TWIN in (job.failure or "")
    )
