"""How a run goes, at one moment: figures, running jobs, failures."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from loreley.config import Settings
from loreley.core.sandbox.child_output import one_line
from loreley.db.engine import Database
from loreley.invocation import typed
from loreley.masking import masked
from loreley.ops.queue.health import QueueHealth, examine_if_running
from loreley.ops.summary import count_jobs, describe_start
from loreley.views.charts.throughput import Throughput, read_throughput
from loreley.views.costs import Expense, read_expenses
from loreley.views.overview import (
    Failure,
    Overview,
    RunningJob,
    read_failures,
    read_overview,
    read_running,
)

_FAILURES = 5
_RUNNING = 12
_BARS = " ▁▂▃▄▅▆▇█"
_REASON_LENGTH = 300
_MINUTES = 30
_PIPE_WIDTH = 160


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """A run at one moment; ``overview`` is None before the scheduler has begun one."""

    database: str
    overview: Overview | None
    running: tuple[RunningJob, ...]
    failures: tuple[Failure, ...]
    pace: Throughput
    expenses: tuple[Expense, ...]
    queue: QueueHealth | None  # None: none is configured, and the embedded one does not run


def take_snapshot(settings: Settings, database: Database) -> RunSnapshot:
    """Look at database and queue; a queue that is away is a part of the picture."""
    return RunSnapshot(
        database=masked(settings.sqlalchemy_url),
        overview=read_overview(database),
        running=tuple(read_running(database)),
        failures=tuple(read_failures(database, limit=_FAILURES)),
        pace=read_throughput(database, minutes=_MINUTES),
        expenses=tuple(read_expenses(database)),
        queue=examine_if_running(settings),
    )


def print_snapshot(seen: RunSnapshot) -> None:
    """Print it once; colours and width are those of where it goes."""
    if sys.stdout.isatty():
        Console(highlight=False).print(*compose(seen), sep="\n")
        return
    console = Console(highlight=False, width=_PIPE_WIDTH, no_color=True, force_terminal=False)
    with console.capture() as captured:
        console.print(*compose(seen), sep="\n")
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def compose(seen: RunSnapshot) -> Iterator[RenderableType]:
    """The snapshot as rich draws it."""
    yield Text(f"loreley · {seen.database} · {time.strftime('%H:%M:%S')}", style="bold")
    if seen.overview is None:
        yield Text(f"no experiment yet: the scheduler begins one ({typed('evolve')})")
        yield _format_row("queue", *_format_queue(seen.queue))
        return
    yield _compose_figures(seen, seen.overview)
    yield _tabulate_running(seen.running)
    if seen.failures:
        yield _tabulate_failures(seen.failures)


def _compose_figures(seen: RunSnapshot, overview: Overview) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column()
    for name, text in (
        ("jobs", count_jobs(overview)),
        ("pace", _format_pace(seen.pace)),
        ("best", _format_best(overview)),
        ("measuring", _format_confirming(overview)),
        ("archive", _format_archive(overview)),
        ("spend", _format_spend(seen.expenses)),
    ):
        if text:
            grid.add_row(name, Text(text))
    grid.add_row("queue", Text(*_format_queue(seen.queue)))
    return grid


def _format_row(name: str, text: str, style: str = "") -> Text:
    return Text.assemble((f"{name}  ", "dim"), (text, style))


def _format_pace(pace: Throughput) -> str:
    """Jobs a minute, and how many each of the last minutes had."""
    ended = [good + bad for good, bad in pace.per_minute]
    most = max(ended, default=0)
    if not most:
        return f"no job in the last {len(ended)} minutes"
    bars = "".join(_BARS[-(-each * (len(_BARS) - 1) // most)] for each in ended)
    return f"{pace.rate:.1f} jobs/min  {bars.strip()}"


def _format_best(overview: Overview) -> str:
    best = overview.best
    if best is None:
        return overview.why_no_best
    found = f"{one_line(overview.objective.name)} {best.fitness:.6g}"
    if best.commit == overview.root_commit:
        return f"{found}, the root itself  {best.commit[:12]}"
    if overview.root is None or overview.best_gain is None:
        gain = describe_start(overview)
    else:
        gain = overview.best_gain.text
    return f"{found}, {gain}  #{best.ordinal} {best.commit[:12]} {one_line(best.subject)}"


def _format_confirming(overview: Overview) -> str:
    return f"{overview.confirming[:12]} beside the root" if overview.confirming else ""


def _format_archive(overview: Overview) -> str:
    islands = (
        f"island {each.island}: {each.cells_filled} filled, best {each.best:.6g}"
        for each in overview.islands
    )
    return "   ".join([f"{overview.cells_filled} of {overview.cells} cells filled", *islands])


def _format_spend(expenses: tuple[Expense, ...]) -> str:
    return "   ".join(
        f"{one_line(each.agent)}: {each.calls} calls, ${each.dollars:.2f}, {each.tokens:,} tokens"
        for each in expenses
    )


def _format_queue(queue: QueueHealth | None) -> tuple[str, str]:
    """The queue in words, and a style that tells how bad it is."""
    if queue is None:
        return "the embedded server does not run: it starts with a run", "dim"
    if queue.problems:
        return one_line(f"{queue.problems[0].what}: {queue.problems[0].reason}"), "red"
    parts = [
        f"{_format_count(queue.waiting)} waiting",
        f"{_format_count(queue.unacknowledged)} in work",
        f"{_format_count(queue.processes_seen)} processes alive",
    ]
    if queue.dead:
        parts.append(f"{queue.dead} dead letters")
    return " · ".join([*parts, *queue.warnings]), "yellow" if queue.warnings else ""


def _format_count(count: int | None) -> str:
    return "?" if count is None else str(count)


def _tabulate_running(running: tuple[RunningJob, ...]) -> RenderableType:
    if not running:
        return Text("no job runs at the moment", style="dim")
    table = make_table("running", "worker", "for", "attempt")
    for job in running[:_RUNNING]:
        table.add_row(
            f"#{job.ordinal} {job.job_id[:8]}",
            Text(one_line(job.worker)),
            f"{job.seconds:.0f} s",
            str(job.attempt),
        )
    if len(running) > _RUNNING:
        table.add_row(f"and {len(running) - _RUNNING} more", "", "", "")
    return table


def _tabulate_failures(failures: tuple[Failure, ...]) -> Table:
    table = make_table("latest failures", "kind", "why")
    table.columns[-1].overflow = "ellipsis"
    table.columns[-1].ratio = 1
    table.expand = True
    for one in failures:
        table.add_row(
            f"#{one.ordinal} {one.job_id[:8]}",
            Text(one.kind),
            Text(one_line(one.reason)[:_REASON_LENGTH]),
        )
    return table


def make_table(*columns: str) -> Table:
    """A table without lines, whose cells are never broken."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in columns:
        table.add_column(name, no_wrap=True)
    return table
