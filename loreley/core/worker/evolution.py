"""The story of one job: from a claim to a judged and pushed commit, or a recorded failure."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from loguru import logger

from loreley.core.evaluation import Artifact, Evaluation
from loreley.core.jobs import Claim, JobKind, JobStore, Record
from loreley.core.worker.agents.protocol import Agent
from loreley.core.worker.attempt import Attempt, AttemptOptions
from loreley.core.worker.cascade import Cascade
from loreley.core.worker.keeper import kept
from loreley.core.worker.repository import WorkerRepository
from loreley.deadline import Deadline, Stop
from loreley.errors import (
    CandidateRejected,
    JobFailed,
    JobInterrupted,
    JobLost,
    LoreleyError,
    ServiceUnavailable,
)
from loreley.holding import Point, reached

_RECORDING_SECONDS = 10.0  # of a job's time limit, kept back to write down how it ended
_RECORDING_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class EvolutionOptions:
    """What holds for every job of a worker."""

    worker: str  # how the worker is called in the database
    lease_seconds: float
    time_limit_seconds: float  # zero or less: none
    max_attempts: int
    attempt: AttemptOptions


class Evolution:
    """Runs jobs, one at a time."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        repository: WorkerRepository,
        agent: Agent,
        judge: Cascade,
        options: EvolutionOptions,
    ) -> None:
        self._jobs = jobs
        self._repository = repository
        self._agent = agent
        self._judge = judge
        self._options = options

    def run(self, job_id: str, stop: Stop) -> None:
        """Turn a queued job into an evaluated, pushed commit, or a recorded failure.

        Raises `JobNotClaimed` when the job is not ours to run; ``stop`` gives it up.
        """
        options = self._options
        claim = self._jobs.claim(job_id, worker=options.worker, lease_seconds=options.lease_seconds)
        with (
            logger.contextualize(job=str(claim.job_id)[:8]),
            kept(self._jobs, claim, stop, lease_seconds=options.lease_seconds),
        ):
            number = f" #{claim.ordinal}" if claim.ordinal >= 0 else ""
            logger.info("{} job{}, attempt {}", claim.kind, number, claim.attempt)
            reached(Point.CLAIMED)
            try:
                self._conclude(claim, stop)
            except JobLost as lost:
                logger.warning("given up, nothing is recorded: {}", lost.summary)

    def _conclude(self, claim: Claim, stop: Stop) -> None:
        """Do the job and write down how it ended; raises `JobLost` when it is not ours to."""
        record = Record()
        try:
            self._succeed(claim, stop, record)
        except JobFailed as failure:
            self._fail(claim, failure, record)
        except JobInterrupted as interruption:
            logger.warning("back to the queue: {}", interruption.summary)
            self._jobs.release(claim)
        except ServiceUnavailable as outage:
            self._wait_and_retry(claim, outage, stop, record)
        except JobLost:
            raise
        except LoreleyError as error:
            self._fail(claim, JobFailed(error.summary), record)
        except Exception as error:  # noqa: BLE001 - the actor's border: our own failure, recorded
            logger.opt(exception=error).error("the job met a defect of Loreley's own")
            self._fail(claim, JobFailed(f"{type(error).__name__}: {error}"), record)

    def _succeed(self, claim: Claim, stop: Stop, record: Record) -> None:
        started = time.monotonic()
        with self._attempt(claim, stop, record) as attempt:
            reached(Point.LEASED)
            if claim.kind is JobKind.MEASUREMENT:
                evaluation = attempt.evaluation(claim.base_commit)
                commit = claim.base_commit
            else:
                judged = attempt.judged_commit()
                evaluation, commit = judged.evaluation, judged.commit
        if claim.kind is JobKind.MEASUREMENT:
            self._jobs.remeasured(claim, evaluation, record)
        else:
            self._jobs.succeed(claim, judged, record)
        reached(Point.RECORDED)
        seconds = time.monotonic() - started
        logger.info("succeeded in {:.1f} s: {} {}", seconds, commit[:12], _shown(evaluation))

    @contextmanager
    def _attempt(self, claim: Claim, stop: Stop, record: Record) -> Iterator[Attempt]:
        deadline = self._deadline(stop)
        with self._repository.lease(claim.base_commit, claim.name, deadline) as worktree:
            yield Attempt(
                claim=claim,
                worktree=worktree,
                deadline=deadline,
                jobs=self._jobs,
                agent=self._agent,
                judge=self._judge,
                options=self._options.attempt,
                record=record,
            )

    def _fail(self, claim: Claim, failure: JobFailed, record: Record) -> None:
        if failure.log:
            record.artifacts.append(Artifact("failure.log", "text/plain", failure.log.encode()))
        kind = "rejected" if isinstance(failure, CandidateRejected) else f"failed ({failure.kind})"
        logger.warning("{}: {}", kind, failure.summary)
        self._jobs.fail(claim, failure, record)

    def _wait_and_retry(
        self, claim: Claim, outage: ServiceUnavailable, stop: Stop, record: Record
    ) -> None:
        """Hold the job for a while, then queue it again, as long as attempts are left."""
        if claim.attempt >= self._options.max_attempts:
            self._fail(claim, JobFailed(outage.summary), record)
            return
        logger.warning("a service is away, trying again soon: {}", outage.summary)
        try:
            stop.wait(min(2.0**claim.attempt, 30.0))
        except LoreleyError as error:
            logger.debug("the wait ended early: {}", error.summary)
        self._jobs.release(claim)

    def _deadline(self, stop: Stop) -> Deadline:
        limit = self._options.time_limit_seconds
        return Deadline.after(limit - min(_RECORDING_SECONDS, limit * _RECORDING_SHARE), stop)


def _shown(evaluation: Evaluation, limit: int = 4) -> str:
    figures = (f"{metric.name}={metric.value:.6g}" for metric in evaluation.metrics[:limit])
    return " ".join(figures)
