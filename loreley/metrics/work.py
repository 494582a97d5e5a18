"""What one worker does, counted whenever a job ends."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from loreley.core.jobs import JobRecord

_BUCKETS = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1_000, 3_600, 10_000)


class WorkerFigures:
    """The figures of a worker process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._jobs = Counter(
            "loreley_worker_jobs",
            "Jobs that this worker has ended, by outcome.",
            ["outcome"],
            registry=registry,
        )
        self._stages = Histogram(
            "loreley_worker_stage_seconds",
            "How long the stages of its jobs took.",
            ["stage"],
            buckets=_BUCKETS,
            registry=registry,
        )

    def count_end(self, outcome: str, record: JobRecord, seconds: float) -> None:
        """Count a job that has ended so, after so many seconds in all."""
        self._jobs.labels(outcome).inc()
        stages = record.stage_seconds | {"whole": seconds}
        if record.agent_seconds is not None:
            stages["agent"] = record.agent_seconds
        for stage, stage_seconds in stages.items():
            self._stages.labels(stage).observe(stage_seconds)
