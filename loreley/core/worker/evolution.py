"""The story of one job: from a claim to a judged and pushed commit, or a recorded failure."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial

from loguru import logger

from loreley.core.agents.protocol import Agent
from loreley.core.agents.router import Router
from loreley.core.evaluation.cascade import Cascade
from loreley.core.evaluation.evaluation import Artifact, Evaluation
from loreley.core.jobs import Claim, JobKind, JobRecord, JobStore
from loreley.core.worker.attempt import Attempt, AttemptOptions
from loreley.core.worker.lease_renewal import renew_lease
from loreley.core.worker.repository import WorkerRepository
from loreley.core.worker.retrying import PatientJobs, patiently
from loreley.core.worker.stopwatch import timed
from loreley.errors import (
    CandidateRejected,
    JobEnded,
    JobFailed,
    JobInterrupted,
    JobLost,
    LoreleyError,
    ServiceUnavailable,
    TimeLimitReached,
)
from loreley.host.deadline import Deadline, Stop
from loreley.host.failpoints import Failpoint, hit

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


@dataclass(frozen=True, slots=True)
class _Held:
    """A job that was claimed, while it is under way."""

    claim: Claim
    jobs: PatientJobs
    stop: Stop
    record: JobRecord = field(default_factory=JobRecord)

    def fail(self, failure: JobFailed) -> None:
        """Write down why there is no commit; raises `JobLost`."""
        if failure.log:
            log = failure.log.encode()
            self.record.artifacts.append(Artifact("failure.log", "text/plain", log))
        is_refusal = isinstance(failure, CandidateRejected)
        ending = "rejected" if is_refusal else f"failed ({failure.kind})"
        logger.warning("{}: {}", ending, failure.summary)
        self.jobs.fail(self.claim, failure, self.record)


class Evolution:
    """Runs jobs, one at a time; ``is_busy`` while one is claimed."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        repository: WorkerRepository,
        agent: Agent | Router,
        judge: Cascade,
        options: EvolutionOptions,
    ) -> None:
        self._jobs = jobs
        self._repository = repository
        self._agent = agent
        self._judge = judge
        self._options = options
        self.is_busy = False

    def run(self, job_id: str, stop: Stop) -> None:
        """Turn a queued job into an evaluated, pushed commit, or a recorded failure.

        Raises `JobNotClaimed` when the job is not ours to run; ``stop`` gives it up.
        """
        options = self._options
        jobs = PatientJobs(self._jobs, stop)
        claim = jobs.claim(job_id, worker=options.worker, lease_seconds=options.lease_seconds)
        with (
            logger.contextualize(job=str(claim.job_id)[:8]),
            renew_lease(self._jobs, claim, stop, lease_seconds=options.lease_seconds),
            self._busy(),
        ):
            number = f" #{claim.ordinal}" if claim.ordinal >= 0 else ""
            logger.info("{} job{}, attempt {}", claim.kind, number, claim.attempt)
            hit(Failpoint.CLAIMED)
            try:
                self._conclude(_Held(claim, jobs, stop))
            except JobEnded as ended:
                logger.warning("recorded, though the answer was lost: {}", ended.summary)
            except JobLost as lost:
                logger.warning("given up, nothing is recorded: {}", lost.summary)

    @contextmanager
    def _busy(self) -> Iterator[None]:
        self.is_busy = True
        try:
            yield
        finally:
            self.is_busy = False

    def _conclude(self, held: _Held) -> None:
        """Do the job and write down how it ended; raises `JobLost` when it is not ours to."""
        try:
            self._succeed(held)
        except JobFailed as failure:
            held.fail(failure)
        except JobInterrupted as interruption:
            logger.warning("back to the queue: {}", interruption.summary)
            held.jobs.release(held.claim)
        except ServiceUnavailable as outage:
            self._wait_and_retry(held, outage)
        except JobLost:
            raise
        except LoreleyError as error:
            held.fail(JobFailed(error.summary))
        except Exception as error:  # noqa: BLE001 - the actor's border: our own failure, recorded
            logger.opt(exception=error).error("the job met a defect of Loreley's own")
            held.fail(JobFailed(f"{type(error).__name__}: {error}"))
        except BaseException as strike:
            # The second net: Dramatiq's time limit strikes a thread wherever it is.
            held.fail(TimeLimitReached("cut off at the time limit", reason=type(strike).__name__))
            raise

    def _succeed(self, held: _Held) -> None:
        started, claim = time.monotonic(), held.claim
        with self._attempt(held) as attempt:
            hit(Failpoint.LEASED)
            if claim.kind is JobKind.MEASUREMENT:
                evaluation = attempt.evaluation(claim.base_commit)
                commit = claim.base_commit
            else:
                judged = attempt.judged_commit()
                evaluation, commit = judged.evaluation, judged.commit
        if claim.kind is JobKind.MEASUREMENT:
            held.jobs.remeasured(claim, evaluation, held.record)
        else:
            held.jobs.succeed(claim, judged, held.record)
        hit(Failpoint.RECORDED)
        seconds = time.monotonic() - started
        logger.info("succeeded in {:.1f} s: {} {}", seconds, commit[:12], _shown(evaluation))

    @contextmanager
    def _attempt(self, held: _Held) -> Iterator[Attempt]:
        claim, deadline = held.claim, self._deadline(held.stop)
        with ExitStack() as stack:
            lease = partial(self._repository.lease, claim.base_commit, claim.name, deadline)
            with timed(held.record, "checkout"):
                worktree = patiently(lambda: stack.enter_context(lease()), deadline)
            yield Attempt(
                claim=claim,
                worktree=worktree,
                deadline=deadline,
                jobs=held.jobs,
                agent=self._agent,
                judge=self._judge,
                options=self._options.attempt,
                record=held.record,
            )

    def _wait_and_retry(self, held: _Held, outage: ServiceUnavailable) -> None:
        """Hold the job for a while, then queue it again, as long as attempts are left."""
        if held.claim.attempt >= self._options.max_attempts:
            held.fail(JobFailed(outage.summary))
            return
        logger.warning("a service is away, trying again soon: {}", outage.summary)
        try:
            held.stop.wait(min(2.0**held.claim.attempt, 30.0))
        except LoreleyError as error:
            logger.debug("the wait ended early: {}", error.summary)
        held.jobs.release(held.claim)

    def _deadline(self, stop: Stop) -> Deadline:
        limit = self._options.time_limit_seconds
        return Deadline.after(limit - min(_RECORDING_SECONDS, limit * _RECORDING_SHARE), stop)


def _shown(evaluation: Evaluation, limit: int = 4) -> str:
    figures = (f"{metric.name}={metric.value:.6g}" for metric in evaluation.metrics[:limit])
    return " ".join(figures)
