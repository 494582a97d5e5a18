"""Keeps the run within its budget: which limit is reached, and what that means for jobs."""

import time
from collections.abc import Callable, Iterable

from loguru import logger

from loreley.config import BudgetSettings
from loreley.core.budget import BudgetUnit, Limit, LimitReached, Period, find_reached_limit
from loreley.db.budget_status import add_activity, count_created_today, read_account
from loreley.db.engine import Database
from loreley.db.schedule import Schedule
from loreley.db.spend import Spend

_NOTE_EVERY_SECONDS = 5.0


def limits_from_settings(settings: BudgetSettings) -> tuple[Limit, ...]:
    """The limits that are set; jobs in all are limited elsewhere."""
    wanted = (
        (BudgetUnit.DOLLARS, Period.RUN, settings.scheduler_budget_dollars),
        (BudgetUnit.DOLLARS, Period.DAY, settings.scheduler_budget_dollars_per_day),
        (BudgetUnit.TOKENS, Period.RUN, settings.scheduler_budget_tokens),
        (BudgetUnit.TOKENS, Period.DAY, settings.scheduler_budget_tokens_per_day),
        (BudgetUnit.JOBS, Period.DAY, settings.scheduler_budget_jobs_per_day),
        (BudgetUnit.HOURS, Period.RUN, settings.scheduler_budget_hours),
        (BudgetUnit.HOURS, Period.DAY, settings.scheduler_budget_hours_per_day),
    )
    return tuple(Limit(unit, period, float(amount)) for unit, period, amount in wanted if amount)


class Budget:
    """The limits of one start of the scheduler; they hold for every worker."""

    def __init__(
        self,
        database: Database,
        limits: Iterable[Limit],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._spend = Spend(database)
        self._schedule = Schedule(database)
        self._limits = tuple(limits)
        self._clock = clock
        self._noted_at = clock()
        self._spend.set_limits(self._limits)
        self.reached: str | None = None  # in words: which limit ends the run, and why
        self.is_time_over = False  # then nothing that waits is done any more, measurements neither

    def tick(self) -> None:
        """Look whether a limit is reached; jobs that wait for a spent one are cancelled."""
        self.note_activity()
        limit = self._find()
        if limit is None:
            return
        said = f"{limit.limit}: {limit.why}"
        if self.reached is None:
            logger.warning("no further job is created: {}", said)
            self._spend.note_reached(limit)
        self.reached = said
        unit = limit.limit.unit
        self.is_time_over = unit is BudgetUnit.HOURS
        if unit is not BudgetUnit.JOBS:
            count = self._schedule.cancel_waiting(
                f"the budget is reached: {said}", measurements=unit is BudgetUnit.HOURS
            )
            if count:
                logger.info("{} waiting jobs are cancelled", count)

    def room_for_jobs(self) -> int | None:
        """How many jobs may still be created; None: as many as anyone likes."""
        if self.reached is not None:
            return 0
        counts = [each for each in self._limits if each.unit is BudgetUnit.JOBS]
        if not counts:
            return None
        with self._database.read() as connection:
            created = count_created_today(connection)
        return max(0, int(min(each.amount for each in counts)) - created)

    def note_activity(self, *, at_once: bool = False) -> None:
        """Count the time that has passed, now and then."""
        now = self._clock()
        if at_once or now - self._noted_at >= _NOTE_EVERY_SECONDS:
            add_activity(self._database, now - self._noted_at)
            self._noted_at = now

    def _find(self) -> LimitReached | None:
        with self._database.read() as connection:
            for limit in self._limits:
                if found := find_reached_limit(read_account(connection, limit)):
                    return found
        return self._spend.reached()
