"""Finished jobs into the archive, each exactly once and in one transaction."""

from dataclasses import dataclass

from loguru import logger
from sqlalchemy import Connection

from loreley.core.jobs import JobKind, JobState, JudgedCommit
from loreley.db.archive import AddResult, Archive, Placed
from loreley.db.engine import Database
from loreley.db.jobs import Jobs
from loreley.db.schedule import EndedJob, Schedule, note_outcome, progress, take_in
from loreley.db.scores import clear_score, read_score, write_score
from loreley.map_elites.fitness import Estimate, Fitness, Infeasible
from loreley.map_elites.islands import Ring
from loreley.scheduler.bandit_update import Learning
from loreley.scheduler.descriptor_space import Landscape
from loreley.scheduler.migration import Migration
from loreley.scheduler.re_measurement import Contests

_INFEASIBLE = "infeasible"
_MEASURED = "measured"
_WORDS = {
    AddResult.NEW: "the first of its cell",
    AddResult.IMPROVED: "the new best of its cell",
    AddResult.REJECTED: "no better than its cell's best",
    AddResult.CHALLENGING: "perhaps the new best of its cell: to be measured again",
}


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What makes one candidate better than another, and what makes it different."""

    fitness: Fitness
    landscape: Landscape
    confidence: float

    def estimate(self, judged: JudgedCommit) -> Estimate | Infeasible:
        """The commit's score, or why it has none."""
        figures = judged.evaluation.metrics
        return self.fitness.judge(
            {metric.name: metric.value for metric in figures},
            {metric.name: metric.error for metric in figures},
        )


class Ingest:
    """Takes finished jobs in, one after the other."""

    def __init__(
        self,
        database: Database,
        yardstick: Yardstick,
        ring: Ring,
        *,
        contests: Contests,
        migration: Migration,
        learning: Learning,
    ) -> None:
        self._database = database
        self._yardstick = yardstick
        self._ring = ring
        self._contests = contests
        self._migration = migration
        self._learning = learning
        self._schedule = Schedule(database)
        self._jobs = Jobs(database)

    def waiting(self) -> list[EndedJob]:
        """Jobs that have ended and wait to be taken in, in the order in which they ended."""
        return self._schedule.ended()

    def take(self, job: EndedJob) -> None:
        """Take one job in; nothing happens when another scheduler was quicker."""
        judged = next(iter(self._jobs.find_judged([job.commit] if job.commit else [])), None)
        with self._database.begin() as connection:
            if not take_in(connection, job):
                return
            archive = Archive(self._database, connection, confidence=self._yardstick.confidence)
            outcome = self._outcome(connection, archive, job, judged)
            note_outcome(connection, job, outcome)
            if job.kind is JobKind.EVOLUTION and job.state is not JobState.CANCELLED:
                entered = outcome in (AddResult.NEW, AddResult.IMPROVED)
                archive.credit(job.island, job.base_commit, entered=entered)
                success = entered and _improves_on_base(connection, job)
                self._learning.learn(connection, job, success=success)
            if job.kind is JobKind.EVOLUTION:
                self._migration.tick(connection, archive)
            count = progress(connection).judged_commits
            self._yardstick.landscape.grow(connection, archive, count)

    def _outcome(
        self,
        connection: Connection,
        archive: Archive,
        job: EndedJob,
        judged: JudgedCommit | None,
    ) -> str:
        if judged is None or job.state is not JobState.SUCCEEDED:
            if job.kind is JobKind.MEASUREMENT:
                self._contests.give_up(connection, archive, job.base_commit)
            return job.state
        estimate = self._yardstick.estimate(judged)
        if isinstance(estimate, Infeasible):
            if job.kind is JobKind.MEASUREMENT:
                clear_score(connection, judged.commit)
                self._contests.lose(connection, archive, judged.commit)
            return self._infeasible(job, estimate)
        if job.kind is JobKind.MEASUREMENT:
            return self._measured(connection, archive, job, judged, estimate)
        measures = self._yardstick.landscape.measures(connection, judged)
        if isinstance(measures, Infeasible):
            return self._infeasible(job, measures)
        write_score(connection, judged.commit, estimate, island=job.island)
        return self._offered(connection, archive, job, judged.commit, estimate, measures)

    def _offered(
        self,
        connection: Connection,
        archive: Archive,
        job: EndedJob,
        commit: str,
        estimate: Estimate,
        measures: tuple[float, ...],
    ) -> AddResult:
        """Offer the commit to its island, the root commit to every one."""
        everywhere = job.kind is JobKind.BASELINE
        islands = range(self._ring.islands) if everywhere else [job.island]
        for island in islands:
            cell = self._yardstick.landscape.grid.cell_of(measures)
            placed = Placed(island, cell, commit, estimate, measures)
            outcome = archive.add(placed)
            if outcome is AddResult.CHALLENGING:
                self._contests.open(connection, archive, placed)
        logger.info("job {}: score {:.6g}, {}", job.job_id[:8], estimate.score, _WORDS[outcome])
        return outcome

    def _measured(
        self,
        connection: Connection,
        archive: Archive,
        job: EndedJob,
        judged: JudgedCommit,
        estimate: Estimate,
    ) -> str:
        write_score(connection, judged.commit, estimate)
        archive.reestimate(judged.commit, estimate)
        self._contests.settle(connection, archive, judged.commit)
        logger.info(
            "job {}: {} measured again, score {:.6g} ± {:.2g}",
            job.job_id[:8],
            judged.commit[:12],
            estimate.score,
            estimate.error,
        )
        return _MEASURED

    def _infeasible(self, job: EndedJob, why: Infeasible) -> str:
        logger.warning("job {}: not archived: {}", job.job_id[:8], why.reason)
        return _INFEASIBLE


def _improves_on_base(connection: Connection, job: EndedJob) -> bool:
    """Whether the commit has a better score than the one it was made from.

    To be merely different is not enough: operators that break programs are good at it.
    """
    base = read_score(connection, job.base_commit)
    own = read_score(connection, job.commit) if job.commit else None
    return own is not None and (base is None or own.score > base.score)
