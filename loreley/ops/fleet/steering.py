"""Pausing a run, letting it go on, cancelling a job, draining workers."""

import getpass
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from loreley.config import Settings
from loreley.core.sandbox.child_output import one_line
from loreley.db.engine import Database, open_database
from loreley.db.experiment import read_experiment
from loreley.db.faults.pause import Pause, begin_pause, end_pause, read_clock, read_pause
from loreley.db.schedule import Schedule
from loreley.db.workers import drain, read_workers
from loreley.errors import ConfigError, Fault, LoreleyError
from loreley.invocation import typed
from loreley.ops.job_story import find_one_job
from loreley.views.job_story import JobStory
from loreley.views.pausing import describe_pause

_LONGEST_REASON = 500
_LOOK_SECONDS = 0.5


def pause_run(settings: Settings, reason: str) -> str:
    """Let no worker begin another job; what was done, in words."""
    with _opened(settings) as database:
        with database.read() as connection:
            known, clock = read_pause(connection), read_clock(connection)
        if known is not None and known.is_asked_for:
            return f"nothing was changed: {describe_pause(known)}"
        who = f"{_find_user()} on {socket.gethostname()}"
        why = one_line(reason)[:_LONGEST_REASON]
        begin_pause(
            database,
            Pause(Fault.PERSON, f"by {who}{f', {why}' if why else ''}", "", clock, clock),
        )
    return f"the run pauses: running jobs go on to their ends; `{typed('resume')}` lets it go on"


def resume_run(settings: Settings) -> str:
    """End a pause of whatever kind; what was done, in words."""
    with _opened(settings) as database:
        with database.read() as connection:
            known = read_pause(connection)
        if known is None:
            return "nothing was changed: the run does not pause"
        end_pause(database)
    return f"the run goes on; it was: {describe_pause(known, with_fix=False)}"


def cancel_job(settings: Settings, beginning: str) -> str:
    """Cancel a job that waits or runs; what was done, in words. Raises `LoreleyError`."""
    with _opened(settings) as database:
        story = find_one_job(database, beginning)
        name = f"job #{story.ordinal}" if story.ordinal >= 0 else f"the {story.kind} job"
        schedule, why = Schedule(database), f"cancelled by {_find_user()}"
        if schedule.cancel(story.job_id, why):
            return f"{name} is cancelled; no worker had begun it"
        if schedule.cancel(story.job_id, why, is_running=True):
            return f"{name} is cancelled; {story.worker} gives it up within seconds"
        raise _explain_refusal(name, find_one_job(database, beginning))


def drain_workers(settings: Settings, target: str, *, wait: bool) -> Iterator[str]:
    """Ask workers to take no further job, and wait until they have ended; lines to print.

    Raises `ConfigError` where none of that name is online.
    """
    with _opened(settings) as database:
        with database.begin() as connection:
            names = drain(connection, target)
        if not names:
            raise _explain_absence(database, target)
        yield f"drains: {', '.join(names)}; each ends after the job that it is at"
        if wait:
            yield from _wait_for(database, set(names))


def _wait_for(database: Database, names: set[str]) -> Iterator[str]:
    while names:
        time.sleep(_LOOK_SECONDS)
        with database.read() as connection:
            online = {each.name for each in read_workers(connection) if each.is_online}
        for name in sorted(names - online):
            yield f"{name} has ended"
        names &= online


def _explain_absence(database: Database, target: str) -> ConfigError:
    with database.read() as connection:
        seen = read_workers(connection)
    known = sorted({name for each in seen if each.is_online for name in (each.host, each.name)})
    gone = any(target in (each.host, each.name) for each in seen)
    return ConfigError(
        "no such worker is online",
        target=target,
        reason="it has ended or fell silent" if gone else "",
        fix=f"name one of {', '.join(known)}" if known else "nothing is left to do: none is online",
    )


def _explain_refusal(name: str, story: JobStory) -> LoreleyError:
    if story.state.is_final:
        return LoreleyError(f"{name} has ended", reason=f"it is {story.state}")
    return LoreleyError(
        f"{name} is no job of the search, and the run needs it",
        reason=f"it is a {story.kind}",
        fix=f"`{typed('pause')}` lets nothing further begin",
    )


def _find_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "somebody"


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    """The database of a run; raises `LoreleyError` where there is none yet."""
    with closing(open_database(settings.sqlalchemy_url)) as database:
        with database.read() as connection:
            known = read_experiment(connection)
        if known is None:
            raise LoreleyError("there is no experiment yet", fix=f"`{typed('evolve')}` begins one")
        yield database
