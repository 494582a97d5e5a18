"""The root commit's own evaluation: every experiment begins with it, and every change of judge."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from loguru import logger

from loreley.core.evaluation.contradictions import find_contradictions
from loreley.core.jobs import JobKind, JobState
from loreley.db.bandit_stats import read_tuning_share
from loreley.db.engine import Database
from loreley.db.experiment import end_judging_anew, is_judging_anew
from loreley.db.jobs import Jobs
from loreley.db.judged_commits import read_to_judge_anew
from loreley.db.schedule import BaselineJob, Schedule, insert_extra
from loreley.errors import ConfigError, LoreleyError, Problem
from loreley.invocation import typed
from loreley.scheduler.ingest import Ingest

LEAST_TRIES = 20  # for which there must be time, for tuning to be worth it


@dataclass(frozen=True, slots=True)
class RequiredMetrics:
    """The metrics without which no candidate can be compared, by the setting that names them."""

    jobs: Jobs
    metrics: Mapping[str, Collection[str]]

    def require(self, root_commit: str) -> None:
        """Raise `ConfigError` when the root's evaluation lacks one: each other one would, too."""
        [root] = self.jobs.find_judged([root_commit])
        reported = [metric.name for metric in root.evaluation.metrics]
        problems = [
            Problem(
                "the evaluator does not report what the search asks for",
                setting=setting,
                target=", ".join(missing),
                reason=f"of the root commit it reports {', '.join(reported)}",
                fix="correct the name, or let the evaluator report it; then begin anew with "
                "another DATABASE_URL or LORELEY_STATE_DIR",
            )
            for setting, names in self.metrics.items()
            if (missing := [name for name in names if name not in reported])
        ]
        if problems:
            raise ConfigError.of(problems)


class Baseline:
    """Has the root commit judged once; a failure ends the run with its reason."""

    def __init__(
        self,
        schedule: Schedule,
        root_commit: str,
        required: RequiredMetrics | None = None,
    ) -> None:
        """``required`` are the metrics that the search asks for."""
        self._schedule = schedule
        self._root_commit = root_commit
        self._required = required
        self._asked = False
        self._is_ready = False

    def tick(self) -> bool:
        """Whether the root commit is judged and archived; asks for it when nobody has."""
        if self._is_ready:
            return True
        last = self._schedule.find_last_baseline()
        if last is not None and last.state is JobState.SUCCEEDED:
            if last.ingested:
                self._require_use()
            self._is_ready = last.ingested
            return self._is_ready
        failed = last is not None and last.state.is_final
        if failed and last is not None and self._asked:
            raise _explain_failure(self._root_commit, last)
        if last is None or failed:
            logger.info("asking for the baseline evaluation of {}", self._root_commit[:12])
            self._schedule.create_extra(JobKind.BASELINE, self._root_commit)
        self._asked = True
        return False

    def _require_use(self) -> None:
        """Raise `ConfigError` when the search is about other metrics, or other directions."""
        if self._required is not None:
            self._required.require(self._root_commit)
        known = self._schedule.experiment()
        assert known is not None  # its jobs are there
        if problems := find_contradictions(known.objective, known.said):
            raise ConfigError.of(problems)
        logger.info("the fitness is {}: {}", known.objective.name, known.describe_direction())


class RootTuning:
    """Has the numbers of the root tuned once: how far numbers alone lead, a ceiling to beat."""

    def __init__(self, database: Database, root_commit: str, seconds: float, seed: int = 0) -> None:
        """``seconds``: how long a job tunes; 0: none does."""
        self._database = database
        self._root_commit = root_commit
        self._is_done = seconds == 0
        self._seconds = seconds
        self._seed = seed

    def tick(self) -> None:
        """Ask for it, unless that was done before or an evaluation takes too long for it."""
        if self._is_done:
            return
        self._is_done = True
        with self._database.begin() as connection:
            share = read_tuning_share(connection, self._root_commit)
            if share.jobs:
                return
            if (share.root_evaluation_seconds or 0.0) * LEAST_TRIES > self._seconds:
                logger.info(
                    "no numbers are tuned: WORKER_TUNE_SECONDS={:g} allow no {} evaluations",
                    *(self._seconds, LEAST_TRIES),
                )
                return
            insert_extra(
                self._database, connection, JobKind.TUNE, self._root_commit, seed=self._seed
            )


class Rejudging:
    """After a change of judge: root and elites are measured anew, before anything is created."""

    def __init__(self, database: Database, ingest: Ingest, root_commit: str) -> None:
        self._database = database
        self._schedule = Schedule(database)
        self._ingest = ingest
        self._root_commit = root_commit
        self._asked = False

    @property
    def is_done(self) -> bool:
        """Whether every elite and the root have figures of the experiment's judge."""
        with self._database.read() as connection:
            return not is_judging_anew(connection)

    def tick(self) -> bool:
        """Whether nothing is left to be measured anew; asks for what nobody measures yet.

        The root comes first: what cannot judge it would only empty the archive. Raises
        `LoreleyError` when it cannot be judged.
        """
        if self.is_done:
            return True
        last = self._schedule.find_last_measurement(self._root_commit)
        with self._database.begin() as connection:
            left = [row.commit for row in read_to_judge_anew(connection)]
            if not left:
                self._ingest.place_anew(connection, self._root_commit)
                end_judging_anew(connection)
                return True
            if left[0] == self._root_commit:
                if self._asked and last is not None and last.has_failed:
                    raise _explain_failure(self._root_commit, last)
                left = [self._root_commit]
                self._asked = True
            for commit in left:
                insert_extra(self._database, connection, JobKind.MEASUREMENT, commit)
        return False


def _explain_failure(root_commit: str, last: BaselineJob) -> LoreleyError:
    return LoreleyError(
        "the root commit cannot be evaluated, so nothing can be improved",
        setting="WORKER_EVALUATOR_PLUGIN, WORKER_EVALUATOR_COMMAND",
        target=root_commit,
        reason=last.failure or last.state,
        fix="mend the evaluator or the repository, then start again; "
        f"`{typed(f'job {last.job_id[:8]}')}` shows what it printed",
    )
