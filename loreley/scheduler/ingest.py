"""Finished jobs into the archive, each exactly once and in one transaction."""

from loguru import logger
from sqlalchemy import Connection

from loreley.core.jobs import JobKind, JobState, JudgedCommit
from loreley.db.archive import Archive, PlacedCommit
from loreley.db.engine import Database
from loreley.db.experiment import read_descriptor_space, read_experiment, read_progress
from loreley.db.jobs import Jobs
from loreley.db.judged_commits import is_by_the_judge, read_judged_commits
from loreley.db.schedule import EndedJob, Schedule, mark_ingested, note_outcome
from loreley.db.scores import clear_score, read_score, write_score
from loreley.map_elites.archive import AddResult
from loreley.map_elites.fitness import Estimate, Infeasible
from loreley.map_elites.islands import Ring
from loreley.map_elites.objective import Objective
from loreley.scheduler.bandit_update import BanditUpdate
from loreley.scheduler.descriptor_space import refit
from loreley.scheduler.migration import Migration
from loreley.scheduler.re_measurement import Finalists, ReMeasurement

_INFEASIBLE = "infeasible"
_MEASURED = "measured"
_WORDS = {
    AddResult.NEW: "the first of its cell",
    AddResult.IMPROVED: "the new best of its cell",
    AddResult.REJECTED: "no better than its cell's best",
    AddResult.CHALLENGING: "perhaps the new best of its cell: to be measured again",
}


class Ingest:
    """Takes finished jobs in, one after the other."""

    def __init__(
        self,
        database: Database,
        objective: Objective,
        ring: Ring,
        *,
        re_measurement: ReMeasurement,
        finalists: Finalists,
        migration: Migration,
        bandit: BanditUpdate,
        repeats_are_automatic: bool = True,
    ) -> None:
        """Where repeats are automatic, one measurement is as uncertain as one of the root is."""
        self._database = database
        self._objective = objective
        self._ring = ring
        self._re_measurement = re_measurement
        self._finalists = finalists
        self._migration = migration
        self._bandit = bandit
        self._repeats_are_automatic = repeats_are_automatic
        self._schedule = Schedule(database)
        self._jobs = Jobs(database)

    def waiting(self) -> list[EndedJob]:
        """Jobs that have ended and wait to be taken in, in the order in which they ended."""
        return self._schedule.find_ended()

    def take(self, job: EndedJob) -> None:
        """Take one job in; nothing happens when another scheduler was quicker."""
        judged = next(iter(self._jobs.find_judged([job.commit] if job.commit else [])), None)
        with self._database.begin() as connection:
            if not mark_ingested(connection, job):
                return
            archive = Archive(self._database, connection)
            outcome = self._archive(connection, archive, job, judged)
            note_outcome(connection, job, outcome)
            if job.kind.changes_base and job.state is not JobState.CANCELLED:
                entered = isinstance(outcome, AddResult) and outcome.enters
                archive.credit(job.island, job.base_commit, entered=entered)
                gain = _measure_gain(connection, job) if entered else 0.0
                self._bandit.update(connection, job, gain=gain)
            if job.kind.changes_base:
                self._migration.tick(connection, archive)
            count = read_progress(connection).judged_commits
            refit(connection, archive, self._objective, count)

    def _archive(
        self,
        connection: Connection,
        archive: Archive,
        job: EndedJob,
        judged: JudgedCommit | None,
    ) -> str:
        if job.kind is JobKind.CONFIRMATION:
            if job.state is not JobState.SUCCEEDED:
                reason = job.failure or job.state
                self._finalists.give_up(connection, job.base_commit, job.job_id, reason)
            return job.state
        if judged is None or job.state is not JobState.SUCCEEDED:
            if job.kind is JobKind.MEASUREMENT:
                self._give_up(connection, archive, job)
            return job.state
        if not is_by_the_judge(connection, judged.commit):
            return self._reject(job, Infeasible("it was judged by the evaluator of before"))
        estimate = self._judge(connection, judged)
        if isinstance(estimate, Infeasible):
            if job.kind is JobKind.MEASUREMENT:
                clear_score(connection, judged.commit)
                self._re_measurement.lose(connection, archive, judged.commit)
            return self._reject(job, estimate)
        if job.kind is JobKind.MEASUREMENT:
            return self._update_score(connection, archive, job, judged, estimate)
        measures = self._measure(connection, judged)
        if isinstance(measures, Infeasible):
            return self._reject(job, measures)
        write_score(connection, judged.commit, estimate, island=job.island)
        return self._offer(connection, archive, job, judged.commit, estimate, measures)

    def _give_up(self, connection: Connection, archive: Archive, job: EndedJob) -> None:
        """End what a failed measurement was for; an elite stays, unless it has no figures left."""
        has_failed = job.state is not JobState.CANCELLED
        if has_failed and not is_by_the_judge(connection, job.base_commit):
            self._re_measurement.lose(connection, archive, job.base_commit)
        else:
            self._re_measurement.give_up(connection, archive, job.base_commit)

    def place_anew(self, connection: Connection, root_commit: str) -> None:
        """Fill the archive anew with its elites and the root, by figures that are all new."""
        archive = Archive(self._database, connection)
        islands = {root_commit: set(range(self._ring.islands))}
        for island, commit in archive.residents():
            islands.setdefault(commit, set()).add(island)
        found = []
        for judged in read_judged_commits(connection, list(islands)):
            estimate, place = self._judge(connection, judged), self._measure(connection, judged)
            if isinstance(estimate, Infeasible) or isinstance(place, Infeasible):
                clear_score(connection, judged.commit)
                continue
            write_score(connection, judged.commit, estimate)
            cell = self._objective.grid.cell_of(place)
            found += [
                PlacedCommit(island, cell, judged.commit, estimate, place)
                for island in sorted(islands[judged.commit])
            ]
        archive.replace_all(found)
        logger.info("{} commits were judged anew, {} remain elites", len(islands), len(found))

    def _judge(self, connection: Connection, judged: JudgedCommit) -> Estimate | Infeasible:
        known = read_experiment(connection)
        assert known is not None  # its jobs are there
        metrics = judged.evaluation.metrics
        spreads = known.spreads if self._repeats_are_automatic else {}
        return self._objective.directed(known.said).judge(
            {metric.name: metric.value for metric in metrics},
            {metric.name: metric.error_beside(spreads.get(metric.name, 0.0)) for metric in metrics},
        )

    def _measure(
        self, connection: Connection, judged: JudgedCommit
    ) -> tuple[float, ...] | Infeasible:
        figures = {name: float(value) for name, value in judged.footprint.items()}
        figures |= {metric.name: metric.value for metric in judged.evaluation.metrics}
        return read_descriptor_space(connection, self._objective).measure(figures, judged.vector)

    def _offer(
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
            cell = self._objective.grid.cell_of(measures)
            placed = PlacedCommit(island, cell, commit, estimate, measures)
            outcome = archive.add(placed)
            if outcome is AddResult.CHALLENGING:
                self._re_measurement.open(connection, archive, placed)
        logger.info("job {}: score {:.6g}, {}", job.job_id[:8], estimate.score, _WORDS[outcome])
        return outcome

    def _update_score(
        self,
        connection: Connection,
        archive: Archive,
        job: EndedJob,
        judged: JudgedCommit,
        estimate: Estimate,
    ) -> str:
        write_score(connection, judged.commit, estimate)
        archive.reestimate(judged.commit, estimate)
        self._re_measurement.settle(connection, archive, judged.commit)
        logger.info(
            "job {}: {} measured again, score {:.6g} ± {:.2g}",
            job.job_id[:8],
            judged.commit[:12],
            estimate.score,
            estimate.error,
        )
        return _MEASURED

    def _reject(self, job: EndedJob, why: Infeasible) -> str:
        logger.warning("job {}: not archived: {}", job.job_id[:8], why.reason)
        return _INFEASIBLE


def _measure_gain(connection: Connection, job: EndedJob) -> float:
    """By how much the commit's score is better than that of the one it was made from; else 0.

    To be merely different is not enough: operators that break programs are good at it.
    """
    base = read_score(connection, job.base_commit)
    own = read_score(connection, job.commit) if job.commit else None
    if own is None:
        return 0.0
    return 1.0 if base is None else max(0.0, own.score - base.score)
