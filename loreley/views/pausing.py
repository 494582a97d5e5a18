"""Whether a run pauses, and why its jobs came to nothing: for people."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from loreley.core.jobs import JobState
from loreley.db.engine import Database
from loreley.db.faults.pause import Pause, read_clock, read_pause
from loreley.db.models import hindrances, jobs
from loreley.errors import Fault
from loreley.invocation import typed
from loreley.likeness import likeness
from loreley.views.wording import shorten

_REASON_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Reason:
    """Why jobs came to nothing, in the words of the latest one."""

    count: int
    fate: str  # failed, rejected, or given back
    text: str
    fix: str


def read_current_pause(database: Database) -> Pause | None:
    """The pause that holds at the moment."""
    with database.read() as connection:
        return read_pause(connection)


def read_moment(database: Database) -> float:
    """Now, by the database's clock."""
    with database.read() as connection:
        return read_clock(connection)


def describe_pause(pause: Pause, *, with_fix: bool = True) -> str:
    """Why the run pauses, until when, and what to do about it."""
    if pause.is_asked_for:
        go_on = f"; `{typed('resume')}` lets it go on" if with_fix else ""
        return f"the run pauses since {_short_clock(pause.since)}, as asked: {pause.why}{go_on}"
    what = "the run pauses"
    if pause.until is not None:
        limited = "rate limited" if pause.fault is Fault.PROVIDER else "limited"
        what += f", {limited} until {_short_clock(pause.until)}"
    fix = f"; {pause.fix}" if with_fix and pause.fix else ""
    return f"{what} ({pause.fault}): {shorten(pause.why, _REASON_LENGTH)}{fix}"


def read_frequent_reasons(database: Database, *, since: float, limit: int = 3) -> Sequence[Reason]:
    """Why most jobs came to nothing since that moment, the most frequent first."""
    ended = select(jobs.c.state, jobs.c.failure, jobs.c.fix).where(
        jobs.c.state.in_([JobState.FAILED, JobState.REJECTED]), jobs.c.finished_at >= since
    )
    met = select(hindrances.c.reason, hindrances.c.fix).where(hindrances.c.at >= since)
    with database.read() as connection:
        told = [
            Reason(1, row.state, row.failure or "", row.fix or "")
            for row in connection.execute(ended.order_by(jobs.c.finished_at))
        ]
        told += [
            Reason(1, "given back", row.reason, row.fix)
            for row in connection.execute(met.order_by(hindrances.c.id))
        ]
    latest = {(each.fate, likeness(each.text)): each for each in told}
    counts = Counter((each.fate, likeness(each.text)) for each in told)
    return [
        Reason(count, latest[key].fate, shorten(latest[key].text, _REASON_LENGTH), latest[key].fix)
        for key, count in counts.most_common(limit)
    ]


def _short_clock(moment: float) -> str:
    """The time of day, with the date where it is not today's."""
    then, today = datetime.fromtimestamp(moment).astimezone(), datetime.now().astimezone()
    return f"{then:%H:%M}" if then.date() == today.date() else f"{then:%Y-%m-%d %H:%M}"
