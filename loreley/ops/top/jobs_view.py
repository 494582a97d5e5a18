"""The jobs of a run as a list that keys go through, the workers, and the story of one job."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from loreley.core.sandbox.child_output import one_line
from loreley.db.engine import Database
from loreley.db.workers import read_workers
from loreley.ops.fleet.workers import describe_workers
from loreley.ops.job_story import describe_story
from loreley.ops.top.run_view import make_table
from loreley.views.job_list import JobFilter, JobLine, JobOrder, read_page, read_sorted_page
from loreley.views.job_story import read_job_story
from loreley.views.wording import duration, figure, gain

SHOWN = 16  # jobs, so that a list fits 24 lines


def read_jobs(database: Database, order: JobOrder) -> Sequence[JobLine]:
    """The first jobs by an order."""
    if order is JobOrder.NEWEST:
        return read_page(database, JobFilter(), limit=SHOWN).lines
    return read_sorted_page(database, JobFilter(), order, limit=SHOWN, number=0).lines


def draw_jobs(jobs: Sequence[JobLine], order: JobOrder, chosen: int) -> Iterator[RenderableType]:
    """The list, with the job that Enter opens."""
    yield Text(f"jobs, the {order.value} first", style="bold")
    if not jobs:
        yield Text("there is none", style="dim")
        return
    table = make_table("", "job", "result", "fitness", "gain", "took", "what")
    table.columns[-1].overflow = "ellipsis"
    table.columns[-1].ratio = 1
    table.expand = True
    for place, job in enumerate(jobs):
        what = one_line(job.subject or job.failure or job.kind)
        table.add_row(
            ">" if place == chosen else " ",
            f"#{job.ordinal}",
            Text(job.outcome if job.commit and job.outcome else job.state),
            figure(job.fitness) if job.fitness is not None else "",
            gain(job.gain) if job.gain is not None else "",
            duration(job.seconds),
            Text(what),
            style="reverse" if place == chosen else "",
        )
    yield table


def draw_story(database: Database, job_id: str, lines: int) -> Iterator[RenderableType]:
    """The beginning of what is known of a job."""
    story = read_job_story(database, job_id)
    told = [] if story is None else "\n".join(describe_story(story)).splitlines()
    for line in told[:lines]:
        yield Text(line, overflow="ellipsis", no_wrap=True)
    if len(told) > lines and story is not None:
        yield Text(f"… {len(told) - lines} more lines: job {story.ordinal}", style="dim")


def draw_workers(database: Database, lines: int) -> Iterator[RenderableType]:
    """The workers of every host."""
    with database.read() as connection:
        seen = read_workers(connection)
    yield Text("workers", style="bold")
    for line in describe_workers(seen)[:lines]:
        yield Text(line, overflow="ellipsis", no_wrap=True)
