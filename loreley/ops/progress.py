"""The live line of a run: what is done, what is best, how fast it goes."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from loreley.core.jobs import JobState
from loreley.ops.messages import say
from loreley.views.overview import Overview
from loreley.views.wording import shorten

_PLAIN_EVERY_SECONDS = 10.0
_RATE_OVER_SECONDS = 60.0
_GAIN_LENGTH = 90


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


def describe(overview: Overview, rate: float | None, goal: int) -> str:
    """The state of a run in one line of plain text."""
    jobs = overview.jobs
    parts = [
        f"{jobs[JobState.FAILED]} failed",
        f"{jobs[JobState.REJECTED]} rejected",
        describe_best(overview),
        f"{overview.cells_filled} cell{'' if overview.cells_filled == 1 else 's'} filled",
    ]
    if overview.confirming:
        is_best = overview.best is not None and overview.confirming == overview.best.commit
        which = "it" if is_best else overview.confirming[:12]
        parts.append(f"measuring {which} beside the root")
    elif rate and overview.ended < goal:
        remaining = max(0, goal - overview.ended) / rate * 60
        parts += [f"{rate:.0f} jobs/min", f"{_format_clock(remaining)} left"]
    return " · ".join(parts)


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
def live_line(goal: int) -> Iterator[Show]:
    """Show progress towards ``goal`` jobs: a living line on a terminal, else one now and then."""
    console = Console(stderr=True, highlight=False)
    rate = Rate()
    if console.is_terminal:
        columns = (
            TextColumn("evolving"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}", markup=False),
        )
        with Progress(*columns, console=console, refresh_per_second=4) as progress:
            task = progress.add_task("evolving", total=goal, state="starting")

            def show(overview: Overview | None) -> None:
                if overview is not None:
                    text = describe(overview, rate.update(overview.ended, time.monotonic()), goal)
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
