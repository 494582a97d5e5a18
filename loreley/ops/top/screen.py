"""The screen: drawn anew every so many seconds, and at every key."""

import sys
from collections.abc import Iterator
from contextlib import closing
from enum import StrEnum

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from loreley.config import Settings
from loreley.db.engine import Database, open_database
from loreley.errors import ConfigError, LoreleyError
from loreley.host.signals import StopSignals
from loreley.ops.top.jobs_view import draw_jobs, draw_story, draw_workers, read_jobs
from loreley.ops.top.keys import Keys
from loreley.ops.top.run_view import compose, print_snapshot, take_snapshot
from loreley.views.job_list import JobOrder

_LEAST_SECONDS, _MOST_SECONDS = 0.2, 3600.0
_LOOK_SECONDS = 0.05  # for a key
_FRAME_LINES = 3  # of the screen, kept for what stands around a view
_HELP = "Tab next view · ↑ ↓ choose · s sort · Enter story · Esc back · q end"


class View(StrEnum):
    """What is shown."""

    RUN = "run"
    JOBS = "jobs"
    WORKERS = "workers"


class Screen:
    """What is shown at the moment, and what a key makes of it."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.view = View.RUN
        self.order = JobOrder.NEWEST
        self.chosen = 0
        self.opened: str | None = None  # the id of the job whose story is shown
        self._settings = settings
        self._database = database
        self._ids: list[str] = []

    def press(self, key: str) -> bool:
        """Take a key; False: it ends the screen."""
        match key:
            case "quit":
                return False
            case "next":
                views = list(View)
                self.view, self.opened = views[(views.index(self.view) + 1) % len(views)], None
            case "sort" if self.view is View.JOBS:
                orders = list(JobOrder)
                self.order = orders[(orders.index(self.order) + 1) % len(orders)]
                self.chosen = 0
            case "up" | "down":
                step = 1 if key == "down" else -1
                self.chosen = max(0, min(len(self._ids) - 1, self.chosen + step))
            case "open" if self.view is View.JOBS and self.chosen < len(self._ids):
                self.opened = self._ids[self.chosen]
            case "back":
                self.opened = None
        return True

    def draw(self, height: int) -> RenderableType:
        """The view, or why it cannot be seen at the moment: services come back."""
        try:
            return Group(*self._compose(height), Text(_HELP, style="dim"))
        except LoreleyError as error:
            return Text(str(error))

    def _compose(self, height: int) -> Iterator[RenderableType]:
        lines = max(1, height - _FRAME_LINES)
        if self.opened is not None:
            yield from draw_story(self._database, self.opened, lines - 1)
        elif self.view is View.WORKERS:
            yield from draw_workers(self._database, lines - 1)
        elif self.view is View.JOBS:
            jobs = read_jobs(self._database, self.order)[: lines - 2]
            self._ids = [job.job_id for job in jobs]
            self.chosen = max(0, min(len(jobs) - 1, self.chosen))
            yield from draw_jobs(jobs, self.order, self.chosen)
        else:
            yield from compose(take_snapshot(self._settings, self._database))


def show_run(settings: Settings, *, every_seconds: float, once: bool) -> None:
    """Show the run, anew every so many seconds until Ctrl+C; once, as plain text, in a pipe.

    Raises `LoreleyError` when the database cannot be read.
    """
    if not _LEAST_SECONDS <= every_seconds <= _MOST_SECONDS:
        raise ConfigError(
            "the screen cannot be drawn that often",
            setting=f"--every {every_seconds:g}",
            fix=f"give seconds from {_LEAST_SECONDS:g} to {_MOST_SECONDS:g}",
        )
    with closing(open_database(settings.sqlalchemy_url)) as database:
        if once or not sys.stdout.isatty():
            print_snapshot(take_snapshot(settings, database))
            return
        _draw_live(Screen(settings, database), every_seconds)


def _draw_live(screen: Screen, every_seconds: float) -> None:
    console = Console(highlight=False)
    with (
        StopSignals() as signals,
        Keys.of_terminal() as keys,
        Live(console=console, screen=True, auto_refresh=False) as live,
    ):
        while True:
            live.update(screen.draw(console.height), refresh=True)
            waited, key = 0.0, ""
            while waited < every_seconds and not key:
                if signals.wait(_LOOK_SECONDS):
                    return
                waited += _LOOK_SECONDS
                key = keys.pressed()
            if not screen.press(key):
                return
