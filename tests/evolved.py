"""A small run in a database, taken in by the scheduler's own parts, without any process."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from sqlalchemy import select

from loreley.core.evaluation.confirmation import Confirmation
from loreley.core.evaluation.evaluation import Artifact, Evaluation, Metric
from loreley.core.evaluation.holdout import Holdout
from loreley.core.jobs import JobKind, JobRecord, JobState, JudgedCommit
from loreley.db.confirmations import record_confirmation
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.models import jobs
from loreley.db.schedule import NewJob, Schedule, insert_extra
from loreley.errors import CandidateRejected, EvaluationFailed
from loreley.map_elites.fitness import Constraint
from loreley.map_elites.islands import Ring
from loreley.scheduler.bandit_update import BanditUpdate
from loreley.scheduler.ingest import Ingest
from loreley.scheduler.migration import Migration
from loreley.scheduler.re_measurement import Finalists, ReMeasurement

ROOT = "a" * 40
MEASURES = ("width:0:10:10", "height:0:10:5")


@dataclass
class Evolved:
    """An experiment of two islands whose cells are given by width and height."""

    database: Database
    higher_is_better: bool = True
    measures: tuple[str, ...] = MEASURES
    root_commit: str = ROOT
    constraints: tuple[str, ...] = ()
    count: int = 0
    jobs: list[str] = field(default_factory=list)  # their ids, as they were made

    def __post_init__(self) -> None:
        ring = Ring(2, 0)
        self._schedule = Schedule(self.database)
        known = self._schedule.begin_experiment(
            Experiment(
                self.root_commit,
                {
                    "mapelites_fitness_metric": "score",
                    "mapelites_fitness_higher_is_better": self.higher_is_better,
                    "mapelites_measures": list(self.measures),
                    "mapelites_islands": 2,
                },
            )
        )
        self._ingest = Ingest(
            self.database,
            replace(
                known.objective,
                constraints=tuple(Constraint.parse(text) for text in self.constraints),
            ),
            ring,
            re_measurement=ReMeasurement(self.database),
            finalists=Finalists(self.database, are_wanted=True),
            migration=Migration(ring),
            bandit=BanditUpdate(self.database, reproducible=True),
        )

    def root(self, score: float = 1.0, *, samples: Sequence[float] = ()) -> str:
        """Judge the root commit."""
        return self._ended(
            JobKind.BASELINE,
            -1,
            self.root_commit,
            self.root_commit,
            None,
            score,
            0.0,
            0.0,
            0,
            (),
            "root",
            samples=samples,
        )

    def child(
        self,
        score: float,
        *,
        parent: str = ROOT,
        width: float = 0.0,
        height: float = 0.0,
        island: int = 0,
        artifacts: Sequence[Artifact] = (),
        subject: str | None = None,
        commit: str | None = None,
        more: Sequence[Metric] = (),
        samples: Sequence[float] = (),
    ) -> str:
        """Let a job make a commit of this score and place; the commit."""
        self.count += 1
        return self._ended(
            JobKind.EVOLUTION,
            self.count - 1,
            commit or f"{self.count:040x}",
            parent,
            parent,
            score,
            width,
            height,
            island,
            artifacts,
            subject or f"change {self.count}",
            more,
            samples,
        )

    def measured(self, commit: str, *scores: float) -> None:
        """Let a job measure a commit once more, as often as there are scores."""
        with self.database.begin() as connection:
            insert_extra(self.database, connection, JobKind.MEASUREMENT, commit)
        self._schedule.queue_pending()
        with self.database.read() as connection:
            waits = (jobs.c.base_commit == commit) & (jobs.c.state == JobState.QUEUED)
            query = select(jobs.c.id).where(waits, jobs.c.kind == JobKind.MEASUREMENT)
            job_id = connection.execute(query).scalar_one()
        store = Jobs(self.database)
        [known] = store.find_judged([commit])
        figures = tuple(
            replace(each, value=median(scores), samples=scores) if each.name == "score" else each
            for each in known.evaluation.metrics
        )
        claim = store.claim(job_id, worker="host:1", lease_seconds=30)
        store.add_measurement(claim, replace(known.evaluation, metrics=figures), JobRecord())
        self._take_all()

    def beside_root(
        self, commit: str, confirmation: Confirmation, holdout: Holdout | None = None
    ) -> None:
        """Let a commit have been measured beside the root."""
        with self.database.begin() as connection:
            record_confirmation(
                self.database, connection, commit, self.jobs[0], confirmation, holdout
            )

    def failure(self, reason: str = "it broke", *, rejected: bool = False) -> str:
        """Let a job fail; its id."""
        self.count += 1
        job_id = self._queued(NewJob(JobKind.EVOLUTION, self.count - 1, 7, self.root_commit))
        claim = Jobs(self.database).claim(job_id, worker="host:1", lease_seconds=30)
        kind = CandidateRejected if rejected else EvaluationFailed
        Jobs(self.database).fail(claim, kind(reason, log="a log\n"), JobRecord())
        self._take_all()
        return job_id

    def waiting(self, *, running: bool = False, worker: str = "host:1") -> str:
        """A job that waits for a worker, or that one has; its id."""
        self.count += 1
        job_id = self._queued(NewJob(JobKind.EVOLUTION, self.count - 1, 7, self.root_commit))
        if running:
            Jobs(self.database).claim(job_id, worker=worker, lease_seconds=30)
        return job_id

    def _ended(
        self,
        kind: JobKind,
        ordinal: int,
        commit: str,
        base: str,
        parent: str | None,
        score: float,
        width: float,
        height: float,
        island: int,
        artifacts: Sequence[Artifact],
        subject: str,
        more: Sequence[Metric] = (),
        samples: Sequence[float] = (),
    ) -> str:
        job_id = self._queued(NewJob(kind, ordinal, 7, base, island=island))
        jobs = Jobs(self.database)
        claim = jobs.claim(job_id, worker="host:1", lease_seconds=30)
        figures = (
            Metric("score", score, "points", self.higher_is_better, tuple(samples)),
            Metric("width", width),
            Metric("height", height),
            *more,
        )
        judged = JudgedCommit(
            commit=commit,
            tree=f"f{commit[1:]}",
            parent=parent,
            branch=None if parent is None else f"evolution/job/{job_id}-1",
            subject=subject,
            footprint={"edit_distance": 1, "code_size": 10},
            evaluation=Evaluation(f"scored {score}", figures, (), 0.5),
        )
        jobs.succeed(
            claim, judged, JobRecord(list(artifacts), "genetic", "shift", 0.25, judged.subject)
        )
        self._take_all()
        return commit

    def _queued(self, job: NewJob) -> str:
        job_id = self._schedule.create(job)
        self.jobs.append(job_id)
        self._schedule.queue_pending()
        return job_id

    def _take_all(self) -> None:
        for job in self._ingest.waiting():
            self._ingest.take(job)
