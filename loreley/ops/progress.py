"""The live line of a run: what is done, what is best, how fast it goes."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Column

from loreley.core.jobs import JobState
from loreley.ops.messages import say
from loreley.views.overview import Overview
from loreley.views.wording import shorten

_PLAIN_EVERY_SECONDS = 10.0
_RATE_OVER_SECONDS = 60.0
_GAIN_LENGTH = 90
_LABEL, _BAR_WIDTH = "evolving", 20
_SEPARATOR = " · "
_LEFT_OUT_FIRST = (
    "rejected",
    "failed",
    "cells",
    "figure",
    "rate",
    "gain",
    "best",
)  # where there is no room


class Rate:
    """How many jobs end per minute, over the last minute."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def update(self, ended: int, at: float) -> float | None:
        """The rate in jobs per minute at ``at`` seconds, or None before there is one."""
        self._seen.append((at, ended))
        while at - self._seen[0][0] > _RATE_OVER_SECONDS:
            self._seen.popleft()
        first_at, first = self._seen[0]
        return (ended - first) / (at - first_at) * 60 if at > first_at and ended > first else None


def describe(overview: Overview, rate: float | None, goal: int, *, width: int | None = None) -> str:
    """The state of a run in one line of plain text; the time left is the last to be left out."""
    jobs = overview.jobs
    parts = {
        "failed": f"{jobs[JobState.FAILED]} failed",
        "rejected": f"{jobs[JobState.REJECTED]} rejected",
        "best": describe_best(overview),
        "cells": f"{overview.cells_filled} cell{'' if overview.cells_filled == 1 else 's'} filled",
    }
    if overview.confirming:
        is_best = overview.best is not None and overview.confirming == overview.best.commit
        which = "it" if is_best else overview.confirming[:12]
        parts["left"] = f"measuring {which} beside the root"
    elif rate and overview.ended < goal:
        remaining = max(0, goal - overview.ended) / rate * 60
        parts |= {"rate": f"{rate:.0f} jobs/min", "left": f"{_format_clock(remaining)} left"}
    for name in _LEFT_OUT_FIRST:
        if width is None or len(_SEPARATOR.join(parts.values())) <= width:
            break
        if name == "figure":
            parts["best"] = parts["best"].partition(":")[0]
        if name == "gain":
            parts["best"] = parts["best"].partition(",")[0]
        parts.pop(name, None)
    return _SEPARATOR.join(parts.values())


def describe_best(overview: Overview) -> str:
    """The best commit's fitness, and whether it is better than the root."""
    if overview.best is None:
        return "no best yet"
    gain = overview.best_gain
    known = f", {shorten(gain.text, _GAIN_LENGTH)}" if gain else ""
    return f"best {overview.best.fitness:.6g}{known}"


Show = Callable[[Overview | None], None]
"""Shows a run; None while the scheduler has not begun, or nothing can be read."""


@contextmanager
def live_line(goal: int, console: Console | None = None) -> Iterator[Show]:
    """Show progress towards ``goal`` jobs: a living line on a terminal, else one now and then."""
    console = console or Console(stderr=True, highlight=False)
    rate = Rate()
    if console.is_terminal:
        columns = (
            TextColumn(_LABEL),
            BarColumn(bar_width=_BAR_WIDTH),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}", markup=False, table_column=Column(no_wrap=True)),
        )
        beside = len(_LABEL) + 1 + _BAR_WIDTH + 1 + len(f"{goal}/{goal}") + 1
        with Progress(*columns, console=console, refresh_per_second=4) as progress:
            task = progress.add_task(_LABEL, total=goal, state="starting")

            def show(overview: Overview | None) -> None:
                if overview is not None:
                    per_minute = rate.update(overview.ended, time.monotonic())
                    room = console.width - beside
                    text = describe(overview, per_minute, goal, width=room)
                    progress.update(task, completed=overview.ended, state=text)

            yield show
        return
    yield _PlainLines(rate, goal)


class _PlainLines:
    """For logs and pipes: a line every few seconds while something happens, and one at the end."""

    def __init__(self, rate: Rate, goal: int) -> None:
        self._rate = rate
        self._goal = goal
        self._next = 0.0
        self._shown: tuple[int, str] | None = None

    def __call__(self, overview: Overview | None) -> None:
        if overview is None:
            return
        # Confirmations are none of the jobs that are counted.
        stands = overview.ended, f"{overview.confirming} {describe_best(overview)}"
        if stands == self._shown:
            return
        at = time.monotonic()
        rate = self._rate.update(overview.ended, at)
        if at >= self._next or overview.ended >= self._goal:
            self._next, self._shown = at + _PLAIN_EVERY_SECONDS, stands
            say(f"{overview.ended}/{self._goal} jobs · {describe(overview, rate, self._goal)}")


def _format_clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
