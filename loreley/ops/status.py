"""`invoke status`: how the experiment of the configured database stands."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from loreley.config import Settings
from loreley.core.budget import Account, BudgetUnit
from loreley.core.sandbox.child_output import one_line
from loreley.db.engine import Database, open_database
from loreley.invocation import typed
from loreley.masking import masked
from loreley.ops.summary import (
    count_jobs,
    describe_anew,
    describe_better,
    describe_ceiling,
    describe_fitness,
    describe_start,
    describe_yield,
    name_gain,
)
from loreley.views.costs import Expense, read_accounts, read_ending, read_expenses
from loreley.views.overview import (
    Failure,
    IslandState,
    Overview,
    RunningJob,
    read_arm_states,
    read_failures,
    read_overview,
    read_running,
)
from loreley.views.pausing import describe_pause, read_current_pause
from loreley.views.wording import plateaus

_SHOWN_FAILURES = 5
_REASON_LENGTH = 160


def describe_status(settings: Settings, *, as_json: bool) -> str:
    """The experiment as text for people, or as JSON for programs."""
    database = open_database(settings.sqlalchemy_url)
    try:
        return _to_json(database) if as_json else "\n".join(_describe_run(settings, database))
    finally:
        database.close()


def _to_json(database: Database) -> str:
    overview = read_overview(database)
    return json.dumps(
        {
            "experiment": _overview_to_mapping(overview) if overview else None,
            "arms": [asdict(arm) for arm in read_arm_states(database)],
            "expenses": [
                asdict(one) | {"dollars_per_entered": one.dollars_per_entered}
                for one in read_expenses(database)
            ],
            "budget": [asdict(account) for account in read_accounts(database)],
            "budget_reached": read_ending(database),
            "pause": asdict(pause) if (pause := read_current_pause(database)) else None,
            "running": [asdict(job) for job in read_running(database)],
            "failures": [asdict(one) for one in read_failures(database, limit=_SHOWN_FAILURES)],
        },
        indent=2,
    )


def _overview_to_mapping(overview: Overview) -> dict[str, Any]:
    yields = {"yield": overview.job_yield, "evaluation_yield": overview.evaluation_yield}
    return asdict(overview) | yields


def _describe_run(settings: Settings, database: Database) -> Iterator[str]:
    yield f"database    {masked(settings.sqlalchemy_url)}"
    overview = read_overview(database)
    if overview is None:
        yield f"experiment  none yet: the scheduler begins one ({typed('evolve')})"
        return
    yield from _describe_experiment(overview)
    if pause := read_current_pause(database):
        yield f"paused      {describe_pause(pause)}"
    for job in read_running(database):
        yield _describe_running(job)
    yield from _describe_arms(database)
    yield from describe_spending(database)
    failures = read_failures(database, limit=_SHOWN_FAILURES)
    if failures:
        yield "latest failures"
    for failure in failures:
        yield _describe_failure(failure)


def _describe_experiment(overview: Overview) -> Iterator[str]:
    yield f"root        {overview.root_commit[:12]}"
    if overview.judge:
        yield f"judge       {overview.judge}{describe_anew(overview)}"
    yield f"jobs        {count_jobs(overview)}"
    yield f"fitness     {describe_fitness(overview)}"
    if overview.noise is not None:
        yield f"noise       {overview.noise.text}"
    if overview.ceiling is not None:
        yield f"tuning      {describe_ceiling(overview)}"
    if overview.plateaus:
        yield f"plateaus    {len(overview.plateaus)}, in jobs {plateaus(overview.plateaus)}"
    if overview.hosts is not None:
        yield f"hosts       {one_line(overview.hosts)}"
    for words in describe_yield(overview):
        yield f"yield       {words}"
    yield f"archive     {_describe_cells(overview)}, QD score {overview.qd_score:.6g}"
    for island in overview.islands:
        yield (
            f"island {island.island}    {_describe_cells(island)}, "
            f"best {island.best:.6g}, QD score {island.qd_score:.6g}"
        )
    best = overview.best
    if best is None:
        yield f"best        {overview.why_no_best}"
    else:
        start = describe_start(overview)
        yield f"best        {overview.objective.name} {best.fitness:.6g}, {start}"
        found = " ".join(filter(None, (best.commit[:12], best.branch, best.subject)))
        yield f"            {one_line(found)}"
        for name, text in name_gain(overview.best_gain):
            yield f"{name:<12}{text}"
        if overview.confirming:
            yield f"measuring   {overview.confirming[:12]} beside the root"
        if known := describe_better(overview):
            yield f"better      {known}"


def _describe_cells(archive: Overview | IslandState) -> str:
    return f"{archive.cells_filled} of {archive.cells} cells filled ({archive.coverage:.0%})"


def _describe_arms(database: Database) -> Iterator[str]:
    arms = read_arm_states(database)
    if arms:
        yield f"  {'lately':<9} {'':<20} {'tried':>6}  {'fitter':>7}  {'seconds':>7}"
    for arm in arms:
        yield (
            f"  {arm.kind:<9} {arm.name:<20} {arm.trials:6.1f}  {arm.success_rate:6.1%}"
            f"  {arm.seconds / arm.trials if arm.trials else 0:8.2f}"
        )


def describe_spending(database: Database) -> Iterator[str]:
    """Lines about each agent that has made calls, and about each limit; none without either."""
    expenses = read_expenses(database)
    if expenses:
        yield (
            f"  {'spent by':<12} {'calls':>6}  {'dollars':>9}  {'tokens':>11}  {'entered':>8}  "
            "dollars each"
        )
        yield from map(_format_expense, expenses)
    for account in read_accounts(database):
        yield _format_account(account)
    if ending := read_ending(database):
        yield f"budget      reached: {ending}"


def _format_expense(expense: Expense) -> str:
    each = expense.dollars_per_entered
    unknown = expense.unpriced_calls
    note = f"  ({unknown} of unknown price)" if unknown else ""
    return (
        f"  {expense.agent:<12} {expense.calls:>6}  {expense.dollars:>9.4f}  "
        f"{expense.tokens:>11,}  {expense.entered:>8}  "
        f"{'-' if each is None else f'{each:.4f}':>12}{note}"
    )


def _format_account(account: Account) -> str:
    digits = ".4f" if account.limit.unit is BudgetUnit.DOLLARS else ",.6g"
    reserved = f", {account.reserved:{digits}} reserved" if account.reserved else ""
    return f"budget      {account.limit}: {account.spent:{digits}} spent{reserved}"


def _describe_running(job: RunningJob) -> str:
    return (
        f"running     #{job.ordinal} {job.job_id[:8]} on {one_line(job.worker)} "
        f"for {job.seconds:.0f} s" + (f", attempt {job.attempt}" if job.attempt > 1 else "")
    )


def _describe_failure(failure: Failure) -> str:
    reason = one_line(failure.reason)
    shown = reason if len(reason) <= _REASON_LENGTH else f"{reason[:_REASON_LENGTH]}…"
    return f"  #{failure.ordinal} {failure.job_id[:8]} {failure.kind}: {shown}"
