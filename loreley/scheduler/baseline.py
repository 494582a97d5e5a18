"""The root commit's own evaluation: every experiment begins with it."""

from loguru import logger

from loreley.core.jobs import JobKind, JobState
from loreley.db.schedule import Schedule
from loreley.errors import LoreleyError


class Baseline:
    """Has the root commit judged once; a failure ends the run with its reason."""

    def __init__(self, schedule: Schedule, root_commit: str) -> None:
        self._schedule = schedule
        self._root_commit = root_commit
        self._asked = False
        self._is_ready = False

    def tick(self) -> bool:
        """Whether the root commit is judged and archived; asks for it when nobody has."""
        if self._is_ready:
            return True
        last = self._schedule.last_baseline()
        if last is not None and last.state is JobState.SUCCEEDED:
            self._is_ready = last.ingested
            return self._is_ready
        failed = last is not None and last.state.is_final
        if failed and last is not None and self._asked:
            raise LoreleyError(
                "the root commit cannot be evaluated, so nothing can be improved",
                setting="WORKER_EVALUATOR_PLUGIN, WORKER_EVALUATOR_COMMAND",
                target=self._root_commit,
                reason=last.failure or last.state,
                fix="mend the evaluator or the repository, then start again; "
                f"`invoke job {last.job_id[:8]}` shows what it printed",
            )
        if last is None or failed:
            logger.info("asking for the baseline evaluation of {}", self._root_commit[:12])
            self._schedule.create_extra(JobKind.BASELINE, self._root_commit)
        self._asked = True
        return False
