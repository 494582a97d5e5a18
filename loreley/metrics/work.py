"""What one worker does, counted where it tells the database of it."""

import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram

from loreley.core.evaluation.evaluation import Evaluation
from loreley.core.jobs import Claim, JobRecord, JobStore, JudgedCommit
from loreley.errors import CandidateRejected, JobFailed

_BUCKETS = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1_000, 3_600, 10_000)


class WorkerFigures:
    """The figures of a worker process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.jobs = Counter(
            "loreley_worker_jobs",
            "Jobs that this worker has ended, by outcome.",
            ["outcome"],
            registry=registry,
        )
        self.stages = Histogram(
            "loreley_worker_stage_seconds",
            "How long the stages of its jobs took.",
            ["stage"],
            buckets=_BUCKETS,
            registry=registry,
        )


class MeasuredJobs:
    """A `JobStore` that counts what passes through it."""

    def __init__(self, jobs: JobStore, figures: WorkerFigures) -> None:
        self._jobs = jobs
        self._figures = figures
        self._began = 0.0

    def claim(self, job_id: str, *, worker: str, lease_seconds: float) -> Claim:
        """As the store does."""
        claim = self._jobs.claim(job_id, worker=worker, lease_seconds=lease_seconds)
        self._began = time.monotonic()
        return claim

    def renew(self, claim: Claim, *, lease_seconds: float) -> None:
        """As the store does."""
        self._jobs.renew(claim, lease_seconds=lease_seconds)

    def release(self, claim: Claim) -> None:
        """As the store does."""
        self._jobs.release(claim)
        self._ended("released", JobRecord())

    def succeed(self, claim: Claim, judged: JudgedCommit, record: JobRecord) -> None:
        """As the store does."""
        self._jobs.succeed(claim, judged, record)
        self._ended("succeeded", record)

    def remeasured(self, claim: Claim, evaluation: Evaluation, record: JobRecord) -> None:
        """As the store does."""
        self._jobs.remeasured(claim, evaluation, record)
        self._ended("succeeded", record)

    def fail(self, claim: Claim, failure: JobFailed, record: JobRecord) -> None:
        """As the store does."""
        self._jobs.fail(claim, failure, record)
        refused = isinstance(failure, CandidateRejected)
        self._ended("rejected" if refused else f"failed_{failure.kind}", record)

    def announce(self, claim: Claim, tree: str) -> None:
        """As the store does."""
        self._jobs.announce(claim, tree)

    def judged(self, commits: Sequence[str]) -> list[JudgedCommit]:
        """As the store does."""
        return self._jobs.judged(commits)

    def _ended(self, outcome: str, record: JobRecord) -> None:
        self._figures.jobs.labels(outcome).inc()
        stages = dict(record.stage_seconds)
        if record.agent_seconds is not None:
            stages["agent"] = record.agent_seconds
        stages["whole"] = time.monotonic() - self._began
        for stage, seconds in stages.items():
            self._figures.stages.labels(stage).observe(seconds)
