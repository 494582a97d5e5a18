"""The story of one job: from a claim to a judged and pushed commit, or a recorded failure."""

from collections.abc import Iterator
from contextlib import contextmanager

from loguru import logger

from loreley.core.agents.protocol import Agent
from loreley.core.agents.router import Router
from loreley.core.evaluation.cascade import Cascade
from loreley.core.evaluation.evaluation import Evaluation
from loreley.core.jobs import JobKind, JobStore, JudgedCommit
from loreley.core.worker.job_run import JobOptions, JobRun
from loreley.core.worker.lease_renewal import renew_lease
from loreley.core.worker.repository import WorkerRepository
from loreley.errors import JobEnded, JobLost
from loreley.host.deadline import Deadline, Stop
from loreley.host.failpoints import Failpoint, hit

_RECORDING_SECONDS = 10.0  # of a job's time limit, kept back to write down how it ended
_RECORDING_SHARE = 0.1


class Evolution:
    """Runs jobs, one at a time; ``is_busy`` while one is claimed."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        repository: WorkerRepository,
        agent: Agent | Router,
        judge: Cascade,
        options: JobOptions,
    ) -> None:
        self._jobs = jobs
        self._repository = repository
        self._agent = agent
        self._judge = judge
        self._options = options
        self.is_busy = False

    def run(self, job_id: str, stop: Stop) -> None:
        """Turn a queued job into an evaluated, pushed commit, or a recorded failure.

        Raises `JobNotClaimed` when the job is not ours to run, and `WorkerUnfit` when this worker
        can run none; ``stop`` gives it up.
        """
        job = self._claim(job_id, stop)
        with (
            logger.contextualize(job=job.claim.job_id[:8]),
            renew_lease(job.jobs, job.claim, stop, lease_seconds=self._options.lease_seconds),
            self._busy(),
            _give_up_when_lost(),
            job.record_failure(),
        ):
            _log_claim(job)
            hit(Failpoint.CLAIMED)
            if job.claim.kind is JobKind.CONFIRMATION:
                job.confirm(self._repository)
                return
            result: JudgedCommit | Evaluation
            with job.lease(self._repository) as worktree:
                if job.claim.kind is JobKind.MEASUREMENT:
                    result = job.evaluate(worktree, job.claim.base_commit)
                else:
                    result = job.judge_commit(worktree)
            job.succeed(result)

    def _claim(self, job_id: str, stop: Stop) -> JobRun:
        options, jobs = self._options, self._jobs.retrying_until(stop)
        return JobRun(
            claim=jobs.claim(job_id, worker=options.worker, lease_seconds=options.lease_seconds),
            deadline=self._deadline(stop),
            jobs=jobs,
            agent=self._agent,
            judge=self._judge,
            options=options,
        )

    def _deadline(self, stop: Stop) -> Deadline:
        limit = self._options.time_limit_seconds
        return Deadline.after(limit - min(_RECORDING_SECONDS, limit * _RECORDING_SHARE), stop)

    @contextmanager
    def _busy(self) -> Iterator[None]:
        self.is_busy = True
        try:
            yield
        finally:
            self.is_busy = False


def _log_claim(job: JobRun) -> None:
    claim = job.claim
    number = f" #{claim.ordinal}" if claim.ordinal >= 0 else ""
    logger.info("{} job{}, attempt {}", claim.kind, number, claim.attempt)


@contextmanager
def _give_up_when_lost() -> Iterator[None]:
    """Touch nothing more once the job is another's, or has ended."""
    try:
        yield
    except JobEnded as ended:
        logger.warning("recorded, though the answer was lost: {}", ended.summary)
    except JobLost as lost:
        logger.warning("given up, nothing is recorded: {}", lost.summary)
