"""The story of one job: from a claim to a judged and pushed commit, or a recorded failure."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from loguru import logger

from loreley.core.evaluation import Artifact
from loreley.core.jobs import Claim, JobKind, JobStore, JudgedCommit
from loreley.core.worker.agents.protocol import Agent, Brief, Specimen
from loreley.core.worker.evaluator import Evaluator
from loreley.core.worker.keeper import kept
from loreley.core.worker.repository import Candidate, WorkerRepository, Worktree
from loreley.deadline import Deadline, Stop
from loreley.errors import (
    CandidateRejected,
    JobFailed,
    JobInterrupted,
    JobLost,
    LoreleyError,
    ServiceUnavailable,
)

_PATCH_BYTES = 256 * 1024
_RECORDING_SECONDS = 10.0  # of a job's time limit, kept back to write down how it ended
_RECORDING_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class EvolutionOptions:
    """What holds for every job of a worker."""

    worker: str  # how the worker is called in the database
    goal: str
    branch_prefix: str
    lease_seconds: float
    time_limit_seconds: float  # zero or less: none
    agent_timeout_seconds: float
    max_attempts: int


class Evolution:
    """Runs jobs, one at a time."""

    def __init__(
        self,
        *,
        jobs: JobStore,
        repository: WorkerRepository,
        agent: Agent,
        evaluator: Evaluator,
        options: EvolutionOptions,
    ) -> None:
        self._jobs = jobs
        self._repository = repository
        self._agent = agent
        self._evaluator = evaluator
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
            try:
                self._conclude(claim, stop)
            except JobLost as lost:
                logger.warning("given up, nothing is recorded: {}", lost.summary)

    def _conclude(self, claim: Claim, stop: Stop) -> None:
        """Do the job and write down how it ended; raises `JobLost` when it is not ours to."""
        artifacts: list[Artifact] = []
        started = time.monotonic()
        try:
            judged = self._judged_commit(claim, self._deadline(stop), artifacts)
            self._jobs.succeed(claim, judged, artifacts)
            logger.info(
                "succeeded in {:.1f} s: {} {}",
                time.monotonic() - started,
                judged.commit[:12],
                _shown(judged),
            )
        except JobFailed as failure:
            self._fail(claim, failure, artifacts)
        except JobInterrupted as interruption:
            logger.warning("back to the queue: {}", interruption.summary)
            self._jobs.release(claim)
        except ServiceUnavailable as outage:
            self._wait_and_retry(claim, outage, stop, artifacts)
        except JobLost:
            raise
        except LoreleyError as error:
            self._fail(claim, JobFailed(error.summary), artifacts)
        except Exception as error:  # noqa: BLE001 - the actor's border: our own failure, recorded
            logger.opt(exception=error).error("the job met a defect of Loreley's own")
            self._fail(claim, JobFailed(f"{type(error).__name__}: {error}"), artifacts)

    def _fail(self, claim: Claim, failure: JobFailed, artifacts: list[Artifact]) -> None:
        if failure.log:
            artifacts.append(Artifact("failure.log", "text/plain", failure.log.encode()))
        kind = "rejected" if isinstance(failure, CandidateRejected) else f"failed ({failure.kind})"
        logger.warning("{}: {}", kind, failure.summary)
        self._jobs.fail(claim, failure, artifacts)

    def _wait_and_retry(
        self, claim: Claim, outage: ServiceUnavailable, stop: Stop, artifacts: list[Artifact]
    ) -> None:
        """Hold the job for a while, then queue it again, as long as attempts are left."""
        if claim.attempt >= self._options.max_attempts:
            self._fail(claim, JobFailed(outage.summary), artifacts)
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

    def _judged_commit(
        self, claim: Claim, deadline: Deadline, artifacts: list[Artifact]
    ) -> JudgedCommit:
        with self._repository.lease(claim.base_commit, claim.name, deadline) as worktree:
            if claim.kind is JobKind.BASELINE:
                candidate, subject = worktree.base(), "the root commit"
            else:
                candidate, subject = self._propose(claim, worktree, deadline)
                artifacts.append(_patch(worktree))
                self._refuse_known(candidate)
            footprint = worktree.measure(claim.root_commit)
            judgement = self._evaluator.evaluate(
                worktree.path, candidate.commit, worktree.scratch, deadline
            )
            artifacts.append(Artifact("evaluation.log", "text/plain", judgement.log.encode()))
            artifacts.extend(judgement.artifacts)
            branch = self._push(claim, worktree, deadline)
            return JudgedCommit(
                commit=candidate.commit,
                tree=candidate.tree,
                parent=claim.base_commit if claim.kind is JobKind.EVOLUTION else None,
                branch=branch,
                subject=subject,
                edit_distance=footprint.edit_distance,
                code_size=footprint.code_size,
                evaluation=judgement.evaluation,
            )

    def _propose(
        self, claim: Claim, worktree: Worktree, deadline: Deadline
    ) -> tuple[Candidate, str]:
        started = time.monotonic()
        proposal = self._agent.propose(
            worktree, self._brief(claim), deadline.within(self._options.agent_timeout_seconds)
        )
        logger.info(
            "{} proposes in {:.1f} s: {}",
            self._agent.name,
            time.monotonic() - started,
            proposal.subject,
        )
        candidate = worktree.commit_all(proposal.subject, proposal.summary, deadline)
        return candidate, proposal.subject

    def _brief(self, claim: Claim) -> Brief:
        known = self._jobs.judged([claim.base_commit, *claim.inspirations])
        specimens = {judged.commit: _specimen(judged) for judged in known}
        base = claim.base_commit
        return Brief(
            seed=claim.seed,
            goal=self._options.goal,
            base=specimens.get(base, Specimen(base)),
            inspirations=tuple(
                specimens[commit] for commit in claim.inspirations if commit in specimens
            ),
        )

    def _refuse_known(self, candidate: Candidate) -> None:
        twin = self._jobs.judged_commit_of(candidate.tree)
        if twin is not None:
            raise CandidateRejected("the same tree was judged before", target=twin)

    def _push(self, claim: Claim, worktree: Worktree, deadline: Deadline) -> str | None:
        if claim.kind is JobKind.BASELINE:
            return None
        branch = f"{self._options.branch_prefix}/{claim.name}"
        worktree.push(branch, deadline)
        logger.info("pushed {}", branch)
        return branch


def _patch(worktree: Worktree) -> Artifact:
    return Artifact("patch.diff", "text/x-diff", worktree.patch(_PATCH_BYTES).encode())


def _specimen(judged: JudgedCommit) -> Specimen:
    metrics = {metric.name: metric.value for metric in judged.evaluation.metrics}
    return Specimen(judged.commit, metrics, judged.evaluation.summary)


def _shown(judged: JudgedCommit, limit: int = 4) -> str:
    shown: Sequence[str] = [
        f"{metric.name}={metric.value:.6g}" for metric in judged.evaluation.metrics
    ]
    return " ".join(shown[:limit])
