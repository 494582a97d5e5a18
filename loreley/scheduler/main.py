"""The scheduler: ingest what ended, create and dispatch what comes next, stop at the budget."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Self

from loguru import logger

from loreley.config import Settings
from loreley.core.agents.prices import require_prices
from loreley.db.engine import open_database
from loreley.db.schedule import Schedule
from loreley.entry import ExitCode
from loreley.errors import RunBraked, ServiceUnavailable
from loreley.host.failpoints import Failpoint, hit
from loreley.host.health import Health
from loreley.host.signals import StopSignals
from loreley.logs import print_and_log
from loreley.scheduler.assembly import Parts, assemble
from loreley.scheduler.experiment import begin_or_resume
from loreley.scheduler.outage import Outage
from loreley.tasks.connection import require_redis
from loreley.tasks.figures import serve_run_figures
from loreley.tasks.queue import JobQueue


class Scheduler:
    """Runs one experiment tick by tick; ticks that are interrupted anywhere lose nothing."""

    def __init__(self, parts: Parts, health: Health) -> None:
        self._parts = parts
        self._health = health

    @classmethod
    @contextmanager
    def opened(cls, settings: Settings) -> Iterator[Self]:
        """Check and open everything; raises the `LoreleyError` of the first that fails."""
        require_prices(settings)
        require_redis(settings)
        database = open_database(settings.sqlalchemy_url)
        try:
            experiment = begin_or_resume(Schedule(database), settings)
            logger.info("evolving from {}", experiment.root_commit[:12])
            parts = assemble(database, experiment, settings, JobQueue())
            health = Health()
            with serve_run_figures(settings, database, health), closing(parts.pruning):
                yield cls(parts, health)
                health.stop()
            with suppress(ServiceUnavailable):  # some seconds that the budget does not count
                parts.budget.note_activity(at_once=True)
        finally:
            database.close()

    def tick(self) -> bool:
        """Do what can be done now; False when the experiment's budget is spent and settled."""
        parts = self._parts
        for job in parts.ingest.waiting():
            parts.ingest.take(job)
            parts.equal_failures.note(job)
            hit(Failpoint.TAKEN_IN)
            # One by one: with one worker every choice then sees the same archive in every run.
            self._create_jobs()
        parts.equal_failures.require_progress()
        parts.budget.tick()
        pause = parts.pausing.tick(lambda: self._create_jobs(at_most=1))
        if pause is not None:
            parts.dispatch.tick_paused(pause.probe)
            return True
        created = self._create_jobs()
        is_done = created == 0 and self._is_settled and self._has_no_finalist()
        parts.dispatch.tick()
        parts.retention.tick()
        parts.pruning.tick()
        return not is_done

    @property
    def _is_settled(self) -> bool:
        if self._parts.budget.reached is not None:
            return self._parts.job_creation.is_settled
        return self._parts.job_creation.is_done

    def _create_jobs(self, at_most: int | None = None) -> int:
        if not self._parts.baseline.tick():
            return 0
        # Measurements that wait are cancelled when the time is over.
        if self._parts.budget.is_time_over or not self._parts.rejudging.tick():
            return 0
        self._parts.root_tuning.tick()
        rooms = [at_most, self._parts.budget.room_for_jobs()]
        known = [room for room in rooms if room is not None]
        return self._parts.job_creation.tick(
            at_most=min(known) if known else None, under_way=self._parts.equal_failures.room
        )

    def _has_no_finalist(self) -> bool:
        """Whether nothing is left to confirm; of elites without new figures nothing can be."""
        return not self._parts.rejudging.is_done or self._parts.finalists.tick()

    @property
    def _ending(self) -> str:
        if over := self._parts.budget.reached:
            return f"the budget is reached: {over}"
        return "every job of the budget is done"

    def _tick_unless_braked(self) -> bool:
        try:
            return self.tick()
        except RunBraked as error:
            self._parts.pausing.end_run(error)
            raise

    def run(self, signals: StopSignals, *, poll_interval_seconds: float) -> ExitCode:
        """Tick until the budget is spent or a stop is asked for."""
        outage = Outage(poll_interval_seconds)
        while not signals.wait(outage.pause_seconds):
            try:
                if not self._tick_unless_braked():
                    print_and_log(f"scheduler: {self._ending}")
                    return ExitCode.STOPPED
            except ServiceUnavailable as error:
                outage.go_on(error)
                self._health.beat(error.problems[0].what)
            else:
                outage.end()
                self._health.beat()
        print_and_log("scheduler: stopped; start it again to go on")
        return ExitCode.INTERRUPTED if signals.count > 1 else ExitCode.STOPPED
