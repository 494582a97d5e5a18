"""The story of one job: from a claim to a judged and pushed commit, or a recorded failure."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from loguru import logger

from loreley.core.agents.protocol import Agent
from loreley.core.agents.router import Router
from loreley.core.evaluation.cascade import Cascade
from loreley.core.evaluation.evaluation import Evaluation
from loreley.core.jobs import JobKind, JobRecord, JobStore, JudgedCommit
from loreley.core.worker.briefing import Briefing
from loreley.core.worker.job_run import JobOptions, JobRun
from loreley.core.worker.lease_renewal import renew_lease
from loreley.core.worker.repository import WorkerRepository
from loreley.core.worker.suspicion import Suspicion
from loreley.errors import (
    EvaluationFailed,
    Fault,
    JobEnded,
    JobInterrupted,
    JobLost,
    LoreleyError,
    WorkerUnfit,
)
from loreley.host.backoff import Backoff
from loreley.host.deadline import Deadline, Stop
from loreley.host.failpoints import Failpoint, hit

_RECORDING_SECONDS = 10.0  # of a job's time limit, kept back to write down how it ended
_RECORDING_SHARE = 0.1
_FIRST_PAUSE_SECONDS = 0.5  # after a job that was given back
_LONGEST_PAUSE_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 600.0  # that a provider is waited for before another job tries
_PREPARE_SECONDS = 600.0


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
        self._pause = Backoff(_FIRST_PAUSE_SECONDS, longest_seconds=_LONGEST_PAUSE_SECONDS)
        self._suspicion = Suspicion(lambda: judge.check())
        self._undelivered: dict[str, tuple[JudgedCommit, JobRecord]] = {}

    def take_over(self, agent: Agent | Router, briefing: Briefing) -> None:
        """Run the next jobs with these."""
        self._agent = agent
        self._options = replace(self._options, briefing=briefing)

    def run(self, job_id: str, stop: Stop) -> None:
        """Turn a queued job into an evaluated, pushed commit, or a recorded failure.

        Raises `JobNotClaimed` when the job is not ours to run, and `WorkerUnfit` when this worker
        can run none; ``stop`` gives it up.
        """
        job = self._claim(job_id, stop)
        with (
            logger.contextualize(job=job.claim.job_id[:8]),
            job.log.kept(job.claim.job_id[:8]),
            renew_lease(job.jobs, job.claim, stop, lease_seconds=self._options.lease_seconds),
            self._busy(),
            _give_up_when_lost(),
            job.record_failure(),
        ):
            _log_claim(job)
            hit(Failpoint.CLAIMED)
            if job.claim.kind is JobKind.CONFIRMATION:
                job.confirm(self._repository)
            else:
                job.succeed(self._judge_commit(job))
        self._settle(job, stop)

    def _judge_commit(self, job: JobRun) -> JudgedCommit | Evaluation:
        """The job's commit, or a further measurement of its base commit.

        A candidate that fails is followed by another one, where that is cheap.
        """
        while True:
            try:
                return self._try_to_judge(job)
            except EvaluationFailed as failure:
                job.draw_anew_after(failure)

    def _try_to_judge(self, job: JobRun) -> JudgedCommit | Evaluation:
        with job.watch_judge():
            job.measure_host(self._repository)
            with job.lease(self._repository) as worktree:
                if job.judged is not None:
                    return job.deliver(worktree)
                if job.claim.kind is JobKind.MEASUREMENT:
                    return job.evaluate(worktree, job.claim.base_commit)
                return job.judge_commit(worktree)

    def _settle(self, job: JobRun, stop: Stop) -> None:
        """After a job that was given back: wait, and mend what can be mended from here.

        Raises `WorkerUnfit` when other workers meet no such thing.
        """
        hindrance = job.hindrance
        if hindrance is None:
            self._pause.reset()
            return
        if job.judged is not None:
            self._undelivered[job.claim.job_id] = (job.judged, job.record)
        if self._jobs.is_alone_in_failing(self._options.worker):
            raise WorkerUnfit(
                "this worker fails again and again where others do not, so it goes offline",
                target=self._options.worker,
                reason=f"{hindrance.fault}: {hindrance.reason}",
                fix=hindrance.fix or "compare its host and its settings with the others'",
            )
        wait = min(hindrance.wait_seconds or 0.0, _LONGEST_WAIT_SECONDS)
        try:
            stop.wait(max(wait, self._pause.seconds))
        except JobInterrupted:
            return
        self._pause.grow()
        self._mend(hindrance.fault)

    def _mend(self, fault: Fault) -> None:
        """Take over what was changed, and make anew what somebody has deleted."""
        try:
            self._options.renew()
            if fault in (Fault.HOST, Fault.REMOTE):
                Path(tempfile.gettempdir()).mkdir(parents=True, exist_ok=True)
                self._repository.prepare(Deadline.after(_PREPARE_SECONDS))
        except (LoreleyError, OSError) as error:
            logger.debug("not mended yet: {}", error)  # the next job tells everyone

    def _claim(self, job_id: str, stop: Stop) -> JobRun:
        options, jobs = self._options, self._jobs.retrying_until(stop)
        claim = jobs.claim(job_id, worker=options.worker, lease_seconds=options.lease_seconds)
        judged, record = self._undelivered.pop(claim.job_id, (None, JobRecord()))
        return JobRun(
            claim=claim,
            judged=judged,
            record=record,
            suspicion=self._suspicion,
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
