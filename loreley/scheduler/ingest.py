"""Finished jobs into the archive."""

from dataclasses import dataclass

from loguru import logger

from loreley.core.jobs import JobState, JudgedCommit
from loreley.core.map_elites.cells import Grid
from loreley.db.archive import AddResult, Archive
from loreley.db.engine import Database
from loreley.db.jobs import Jobs
from loreley.db.schedule import EndedJob, Schedule

_WORDS = {
    AddResult.NEW: "the first of its cell",
    AddResult.IMPROVED: "the new best of its cell",
    AddResult.REJECTED: "no better than its cell's best",
}


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What makes one candidate better than another, and what makes it different."""

    fitness_metric: str
    higher_is_better: bool
    grid: Grid

    def score(self, judged: JudgedCommit) -> float | None:
        """The fitness with its sign turned so that higher is better; None if it is missing."""
        value = judged.evaluation.value(self.fitness_metric)
        if value is None:
            return None
        return value if self.higher_is_better else -value

    def measures(self, judged: JudgedCommit) -> list[float] | None:
        """The candidate's place in the grid's space, or None if a measure is missing."""
        own = {"edit_distance": judged.edit_distance, "code_size": judged.code_size}
        values = [
            own[measure.name] if measure.name in own else judged.evaluation.value(measure.name)
            for measure in self.grid.measures
        ]
        present = [float(value) for value in values if value is not None]
        return present if len(present) == len(values) else None


class Ingest:
    """Offers each finished job's commit to the archive, exactly once."""

    def __init__(self, database: Database, yardstick: Yardstick) -> None:
        self._database = database
        self._yardstick = yardstick
        self._schedule = Schedule(database)
        self._jobs = Jobs(database)
        self._archive = Archive(database)

    def tick(self) -> int:
        """Ingest what has ended since the last call; how many jobs that were."""
        ended = self._schedule.ended()
        commits = [job.commit for job in ended if job.commit is not None]
        judged = {commit.commit: commit for commit in self._jobs.judged(commits)}
        for job in ended:
            self._ingest(job, judged.get(job.commit or ""))
        return len(ended)

    def _ingest(self, job: EndedJob, judged: JudgedCommit | None) -> None:
        score = self._yardstick.score(judged) if judged else None
        measures = self._yardstick.measures(judged) if judged else None
        with self._database.begin() as connection:
            outcome: AddResult | None = None
            if judged is not None and score is not None and measures is not None:
                outcome = self._archive.add(
                    connection,
                    island=job.island,
                    cell=self._yardstick.grid.cell_of(measures),
                    commit=judged.commit,
                    score=score,
                    measures=measures,
                )
            if not self._schedule.ingested(connection, job.job_id, outcome):
                # Another scheduler was quicker; the archive's answer to a repeat changes nothing.
                return
        if outcome is not None:
            logger.info("job {}: score {:.6g}, {}", job.job_id[:8], score, _WORDS[outcome])
        elif job.state is JobState.SUCCEEDED:
            logger.warning(
                "job {}: the evaluation lacks {} or a measure; not archived",
                job.job_id[:8],
                self._yardstick.fitness_metric,
            )
