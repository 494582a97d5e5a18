"""A whole search without git and Redis: the scheduler's real parts, a database, a toy worker."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from random import Random
from uuid import uuid4

from loreley.config import Settings
from loreley.core.evaluation.confirmation import Confirmation, confirm
from loreley.core.evaluation.evaluation import Evaluation, Metric, merged
from loreley.core.evaluation.fingerprint import Fingerprint
from loreley.core.jobs import Claim, JobKind, JobRecord, JudgedCommit
from loreley.db.engine import Database
from loreley.db.jobs import Jobs
from loreley.db.schedule import Schedule
from loreley.errors import AgentFailed
from loreley.host.health import Health
from loreley.map_elites.descriptor import file_vector, pack
from loreley.map_elites.fitness import Estimate
from loreley.scheduler.assembly import assemble
from loreley.scheduler.experiment import begin_or_resume
from loreley.scheduler.main import Scheduler

ROOT = "a" * 40

Judge = Callable[[Mapping[str, float], Random], Mapping[str, float]]


@dataclass
class MemoryQueue:
    """Messages in a list."""

    job_ids: list[str] = field(default_factory=list)

    def send(self, job_id: str, *, first: bool = False) -> None:
        """Append a message."""
        self.job_ids.append(job_id)

    def waiting(self) -> list[str]:
        """Which jobs' there are."""
        return self.job_ids


def sphere(genome: Mapping[str, float], _random: Random) -> Mapping[str, float]:
    """A hill with its top at (3, -2)."""
    height = -((genome["x"] - 3) ** 2) - (genome["y"] + 2) ** 2
    return {"score": height, "x": genome["x"], "y": genome["y"]}


@dataclass
class Simulation:
    """One experiment in a database; its genomes are two numbers."""

    database: Database
    settings: dict[str, object] = field(default_factory=dict)
    judge: Judge = sphere
    failing_share: float = 0.0
    repeats: int | None = None  # None: as automatic, the root five times and all others once
    # Whether more is better, by metric, as the evaluator says; of others it says nothing.
    directions: Mapping[str, bool] = field(default_factory=dict)
    own: Fingerprint | None = None  # what the worker judges with, where that is asked

    def __post_init__(self) -> None:
        self.queue = MemoryQueue()
        self.random = Random(1)
        self.genomes: dict[str, dict[str, float]] = {}  # by commit
        self.scheduler = self._scheduler()

    def restart(self) -> None:
        """Another scheduler process on the same database; messages are lost."""
        self.queue.job_ids.clear()
        self.scheduler = self._scheduler()

    def run(self) -> None:
        """Work until the budget is spent."""
        while self.scheduler.tick() or self.queue.job_ids:
            self.work()

    def work(self) -> None:
        """Do the jobs whose messages wait, one after the other."""
        jobs = Jobs(self.database)
        while self.queue.job_ids:
            claim = jobs.claim(self.queue.job_ids.pop(0), worker="test", lease_seconds=60)
            self._do(jobs, claim)

    def _do(self, jobs: Jobs, claim: Claim) -> None:
        random = Random(claim.seed)
        record = JobRecord(agent="toy", operator=claim.operator, judge=self.own)
        if claim.kind is JobKind.EVOLUTION and random.random() < self.failing_share:
            jobs.fail(claim, AgentFailed("no idea"), record)
            return
        genome = self.genomes.get(claim.base_commit, {"x": 0.0, "y": 0.0})
        if claim.kind is JobKind.MEASUREMENT:
            jobs.add_measurement(claim, self.evaluate(genome), record)
            return
        if claim.kind is JobKind.CONFIRMATION:
            jobs.confirm(claim, self._confirm(claim, random), None, record)
            return
        if claim.kind is JobKind.EVOLUTION:
            genome = {name: value + random.gauss(0, 0.5) for name, value in genome.items()}
        jobs.succeed(claim, self._judged(claim, genome), record)

    def _confirm(self, claim: Claim, random: Random) -> Confirmation:
        def measure(commit: str) -> float:
            figures = self.judge(self.genomes[commit], self.random)
            estimate = claim.objective.judge(figures, {})
            assert isinstance(estimate, Estimate)
            return estimate.score

        return confirm(
            partial(measure, claim.root_commit),
            partial(measure, claim.base_commit),
            random,
            within_seconds=60,
        )

    def _judged(self, claim: Claim, genome: dict[str, float]) -> JudgedCommit:
        is_root = claim.kind is JobKind.BASELINE
        text = repr(sorted(genome.items())).encode()
        name = ROOT if is_root else hashlib.sha1(text).hexdigest()
        self.genomes[name] = genome
        return JudgedCommit(
            commit=name,
            tree=hashlib.sha1(text + b"tree").hexdigest(),
            parent=None if is_root else claim.base_commit,
            branch=None if is_root else f"evolution/job/{claim.name}",
            subject="",
            footprint={"edit_distance": 0, "code_size": 0},
            evaluation=self.evaluate(genome, times=5 if is_root else 1),
            vector=pack(file_vector(text)),
        )

    def evaluate(self, genome: Mapping[str, float], times: int = 1) -> Evaluation:
        """What the evaluator says of a genome."""
        return merged([self._sample(genome) for _ in range(self.repeats or times)])

    def _sample(self, genome: Mapping[str, float]) -> Evaluation:
        figures = self.judge(genome, self.random)
        metrics = (
            Metric(
                name, value, None, self.directions.get(name, True),
                says_direction=name in self.directions,
            )
            for name, value in figures.items()
        )  # fmt: skip
        return Evaluation("", tuple(metrics))

    def _scheduler(self) -> Scheduler:
        values: dict[str, object] = {
            "mapelites_experiment_root_commit": ROOT,
            "mapelites_fitness_metric": "score",
            "mapelites_measures": ["x:-5:5:10", "y:-5:5:10"],
            "mapelites_reproducible": True,
            "worker_evaluator_repeats": self.repeats,
            "scheduler_max_total_jobs": 100,
        }
        settings = Settings(**values | self.settings)  # type: ignore[arg-type]
        experiment = begin_or_resume(Schedule(self.database), settings)
        return Scheduler(assemble(self.database, experiment, settings, self.queue), Health())


def unique_database_url(url: str) -> str:
    """The URL of another SQLite file beside this one."""
    return url.replace(".db", f"-{uuid4().hex}.db")
