"""The run pauses while every worker meets the same hindrance, and goes on when it is gone."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from loguru import logger

from loreley.db.engine import Database
from loreley.db.faults.hindrances import (
    NotedHindrance,
    find_common_hindrance,
    find_hopeless_jobs,
    has_worked_since,
    read_last_hindrance,
)
from loreley.db.faults.pause import (
    Pause,
    begin_pause,
    end_pause,
    find_probe,
    has_running_jobs,
    read_clock,
    read_pause,
)
from loreley.db.schedule import Schedule
from loreley.errors import RunBraked
from loreley.logs import print_and_log
from loreley.views.pausing import describe_pause

_LONGEST_DISTANCE_SECONDS = 600.0
_LONGEST_WAIT_SECONDS = 3600.0  # a limit may be raised before it is over: asking is free


@dataclass(frozen=True, slots=True)
class PauseOptions:
    """When a pause begins, tries and ends."""

    probe_seconds: float = 10.0  # from its begin to the first job that tries; then twice as long
    longest_hours: float = 24.0  # after which the run ends; 0: it ends instead of pausing
    has_one_agent: bool = True  # whose provider's limit then is everyone's


class Pausing:
    """Looks at the latest results of all workers; the pause is kept in the database."""

    def __init__(self, database: Database, options: PauseOptions) -> None:
        self._database = database
        self._schedule = Schedule(database)
        self._options = options
        self._begin()

    def tick(self, create_one: Callable[[], int]) -> Pause | None:
        """The pause that holds now; None: there is none.

        ``create_one`` makes a job for it to be tried with, where none waits, and says how many.
        Raises `RunBraked` when it has lasted too long.
        """
        with self._database.read() as connection:
            pause, clock = read_pause(connection), read_clock(connection)
            last = read_last_hindrance(connection)
            is_proven = (
                pause is not None and last is not None and has_worked_since(connection, last.at)
            )
        if pause is not None and pause.is_asked_for:
            self._pauses = True
            return pause
        if pause is None:
            if self._pauses:  # a person has ended it
                self._go_on(clock)
            return self._look_for_one(last, clock)
        if is_proven:
            self._end(clock)
            return None
        self._require_patience(pause, clock)
        return self._probe(pause, last, clock, create_one)

    def end_run(self, error: RunBraked) -> None:
        """Have no worker anywhere begin another job, as the run has ended."""
        with self._database.read() as connection:
            clock = read_clock(connection)
        problem = error.problems[0]
        begin_pause(
            self._database,
            Pause(error.fault, f"{problem.what}: {problem.reason}", problem.fix, clock, clock,
                  is_over=True),
        )  # fmt: skip

    def _begin(self) -> None:
        """A start is a reason to try at once."""
        with self._database.read() as connection:
            pause, self._since = read_pause(connection), read_clock(connection)
        self._pauses = pause is not None
        self._last_at = 0.0  # of the latest hindrance when hopeless jobs were looked for
        if pause is not None and pause.is_over:
            end_pause(self._database)
        elif pause is not None and not pause.is_asked_for:
            begin_pause(
                self._database, replace(pause, since=self._since, probe_at=self._since, probes=0)
            )

    def _look_for_one(self, last: NotedHindrance | None, clock: float) -> Pause | None:
        """A pause, if the latest hindrances ask for one."""
        if last is None or last.at <= self._since:
            return None
        self._cancel_hopeless_jobs(last)
        with self._database.read() as connection:
            found = find_common_hindrance(
                connection, since=self._since, at_once=self._options.has_one_agent
            )
        return self._pause_for(found, clock) if found else None

    def _pause_for(self, found: NotedHindrance, clock: float) -> Pause:
        first = clock + self._options.probe_seconds
        pause = Pause(
            found.fault,
            found.reason,
            found.fix,
            since=clock,
            probe_at=max(first, _honoured(found)),
            until=found.until,
        )
        begin_pause(self._database, pause)
        self._pauses = True
        print_and_log(f"scheduler: {describe_pause(pause)}")
        self._require_patience(pause, clock)
        return pause

    def _end(self, clock: float) -> None:
        end_pause(self._database)
        self._go_on(clock)

    def _go_on(self, clock: float) -> None:
        self._since, self._pauses = clock, False
        print_and_log("scheduler: the run goes on")

    def _require_patience(self, pause: Pause, clock: float) -> None:
        longest = self._options.longest_hours
        if clock - pause.since >= longest * 3600:
            lasted = f"has paused for {longest:g} hours" if longest else "may not pause"
            raise RunBraked(
                f"the run {lasted}, so it ends",
                setting="SCHEDULER_MAX_PAUSE_HOURS",
                reason=describe_pause(pause, with_fix=False),
                fix=pause.fix or "mend what the reason says, then start again: all is kept",
                fault=pause.fault,
            )

    def _probe(
        self,
        pause: Pause,
        last: NotedHindrance | None,
        clock: float,
        create_one: Callable[[], int],
    ) -> Pause | None:
        """Let one job try when it is time, at growing distances."""
        if last is not None and last.until is not None and last.until != pause.until:
            pause = replace(pause, until=last.until, probe_at=max(pause.probe_at, _honoured(last)))
            begin_pause(self._database, pause)
            print_and_log(f"scheduler: {describe_pause(pause)}")
        if clock < pause.probe_at:
            return pause
        with self._database.read() as connection:
            probe, is_busy = find_probe(connection), has_running_jobs(connection)
        if is_busy:  # what it comes to will tell as well
            return pause
        if probe is None:
            if create_one() == 0:
                self._end(clock)
                return None
            return pause
        distance = min(
            self._options.probe_seconds * 2.0 ** (pause.probes + 1), _LONGEST_DISTANCE_SECONDS
        )
        pause = replace(pause, probe=probe, probes=pause.probes + 1, probe_at=clock + distance)
        begin_pause(self._database, pause)
        logger.info("job {} tries whether the run may go on", probe[:8])
        return pause

    def _cancel_hopeless_jobs(self, last: NotedHindrance) -> None:
        """Cancel what is hindered again and again while other jobs are not: it costs nothing."""
        if last.at == self._last_at:
            return
        self._last_at = last.at
        with self._database.read() as connection:
            hopeless = find_hopeless_jobs(connection)
        for job_id, reason in hopeless:
            if self._schedule.cancel(job_id, f"hindered again and again: {reason}"):
                name = job_id[:8]
                logger.warning("job {}: cancelled, others are not hindered: {}", name, reason)


def _honoured(found: NotedHindrance) -> float:
    """Until when the provider is left alone."""
    return min(found.until or 0.0, found.at + _LONGEST_WAIT_SECONDS)
