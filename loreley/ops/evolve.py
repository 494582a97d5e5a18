"""A whole run in one command: scheduler and workers started, watched and reported on."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from loreley.config import Role, load_settings
from loreley.core.agents.chat.endpoint import try_key
from loreley.core.sandbox.sandbox import Level, require_sandbox
from loreley.db.engine import Database, open_database
from loreley.errors import ServiceUnavailable, TimeLimitReached
from loreley.host.deadline import Deadline
from loreley.host.interruptible import Background, run_interruptibly
from loreley.host.locks import FileLock
from loreley.host.signals import StopSignals
from loreley.ops.ending import read_result, read_standing
from loreley.ops.logs.view import find_logs_base
from loreley.ops.messages import say
from loreley.ops.progress import live_line
from loreley.ops.summary import summarise
from loreley.ops.supervisor import ChildFailed, Supervisor
from loreley.views.costs import read_ending
from loreley.views.overview import Overview, read_overview
from loreley.views.pausing import describe_pause, read_current_pause

_READ_EVERY_SECONDS = 0.25
_LOOK_SECONDS = 1.0  # for the database; it answers within milliseconds
_ANSWER_SECONDS = 10.0  # then it counts as silent
_SAY_AGAIN_SECONDS = 1800.0

Answer = TypeVar("Answer")


def evolve(scripts: Path, *, jobs: int, workers: int) -> int:
    """Run until the experiment has had ``jobs`` jobs or a stop is asked for; the exit code.

    ``scripts`` is the folder of run_scheduler.py and run_worker.py; the environment must hold
    everything they need. Where another `evolve` of the state
    folder is at work, both share its jobs. Raises `LoreleyError` when something is missing, or
    when a process cannot work.
    """
    load_settings(Role.SCHEDULER)
    settings = load_settings(Role.WORKER)
    sandbox = require_sandbox(settings)
    key_warning = try_key(settings)
    logs = find_logs_base(settings.logs_base_dir) / "logs"
    database = open_database(settings.sqlalchemy_url)
    say(
        f"evolve: {jobs} jobs on {workers} workers; repository {settings.remote_target}, "
        f"logs in {logs}"
    )
    if sandbox.level is not Level.BUBBLEWRAP:
        say(f"warning: {sandbox.describe()}")
    if key_warning:
        say(f"warning: {key_warning}")
    started, failure = time.monotonic(), None
    try:
        goal = _choose_goal(database, jobs)
        before = _read_within(_ANSWER_SECONDS, lambda: read_standing(database))
        with StopSignals() as signals, _register(settings.run_folder) as is_joining:
            output = logs / "evolve" / (f"joined-{os.getpid()}" if is_joining else "")
            supervisor = Supervisor(scripts=scripts, workers=workers, max_jobs=jobs, output=output)
            try:
                supervisor.start()
                watch(supervisor, database, signals, goal=goal)
            except ChildFailed as error:
                failure = error
            finally:
                if signals.asked:
                    say("evolve: stopping; Ctrl+C again interrupts the running jobs")
                supervisor.stop(signals, grace_seconds=settings.tasks_worker_grace_seconds)
        overview, over, ending = _read_within(
            _ANSWER_SECONDS,
            lambda: (read_overview(database), read_ending(database), read_result(database, before)),
        )
    finally:
        database.close()
    if overview is None:
        print("nothing was evolved: the scheduler did not begin")
    else:
        seconds = time.monotonic() - started
        last = describe_ending(
            overview,
            seconds=seconds,
            stopped=signals.asked,
            goal=jobs,
            over=over,
            ended_by="its scheduler was" if supervisor.has_workers else "all workers were drained",
        )
        reasons = [ending.reasons] if ending.reasons else []
        told = [summarise(overview, settings, logs), *reasons, *([] if failure else [last])]
        print("\n".join(told), flush=True)
    if failure is not None:
        raise failure
    if signals.count > 1:
        return 130
    return ending.exit_code(stopped=signals.asked)


def _choose_goal(database: Database, jobs: int) -> int:
    """How many jobs there will have been, which those of earlier runs may be already."""
    before = _read_within(_ANSWER_SECONDS, lambda: read_overview(database))
    if before is None or before.total < jobs:
        return jobs
    are_done = "done" if before.ended == before.total else "begun"
    say(
        f"evolve: {before.total} jobs are {are_done} already; --jobs {jobs} adds none: "
        f"give more than {before.total}"
    )
    return before.total


@contextmanager
def _register(state: Path) -> Iterator[bool]:
    """Be one of those who evolve in the state folder; whether there is another, which is said."""
    if not state.is_dir():  # nothing is kept on this machine
        yield False
        return
    lock = FileLock(state / "evolve.lock")
    is_joining = lock.is_held_by_anyone()
    if is_joining:
        say(
            f"evolve: joins a run that is under way in {state}: both work on its jobs, and each "
            "ends at its own --jobs"
        )
    lock.acquire(shared=True, within_seconds=1.0)
    try:
        yield is_joining
    finally:
        lock.release()


def watch(supervisor: Supervisor, database: Database, signals: StopSignals, *, goal: int) -> None:
    """Show how the run goes until the scheduler is done or a stop is asked for.

    Raises `ChildFailed` when a process cannot work.
    """
    read = _OverviewReader(database)
    with live_line(goal) as show:
        while supervisor.watch() and not signals.wait(_READ_EVERY_SECONDS):
            show(read())
        show(read())


class _PauseTeller:
    """Says when a run pauses and goes on, and every while that it still does."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._told = ""
        self._again_at = 0.0

    def __call__(self) -> None:
        """Look, and say what is new."""
        pause = read_current_pause(self._database)
        text = describe_pause(pause) if pause else ""
        at = time.monotonic()
        if text != self._told or (text and at >= self._again_at):
            say(f"evolve: {text or 'the run goes on'}")
            self._told, self._again_at = text, at + _SAY_AGAIN_SECONDS


class _OverviewReader:
    """Reads how the run stands; a database that is away is reported once, until it is back.

    One that is silent holds nobody up.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_away = False
        self._tell_of_pause = _PauseTeller(database)
        self._reading = Background(self._read, "reading how the run stands")

    def __call__(self) -> Overview | None:
        try:
            overview = self._reading.ask(_LOOK_SECONDS)
        except ServiceUnavailable as error:
            self._report_outage(error)
            return None
        if self._reading.waited_seconds > _ANSWER_SECONDS:
            self._report_outage(_silence())
        elif overview is not None:
            self._is_away = False
        return overview

    def _read(self) -> Overview | None:
        overview = read_overview(self._database)
        if overview is not None:
            self._tell_of_pause()
        return overview

    def _report_outage(self, error: ServiceUnavailable) -> None:
        if not self._is_away:
            say(f"evolve: waiting for the database: {error.summary}")
        self._is_away = True


def _read_within(seconds: float, read: Callable[[], Answer]) -> Answer:
    """What the database answers; raises `ServiceUnavailable` where it does not."""
    try:
        return run_interruptibly(read, Deadline.after(seconds), "reading how the run stands")
    except TimeLimitReached as error:
        raise _silence() from error


def _silence() -> ServiceUnavailable:
    return ServiceUnavailable(
        "the database does not answer",
        setting="DATABASE_URL",
        reason="not a word has come for a while",
        fix="look at the server: it may be frozen, or wait for a lock; what is done is kept",
    )


def describe_ending(
    overview: Overview,
    *,
    seconds: float,
    stopped: bool,
    goal: int,
    over: str | None,
    ended_by: str = "its scheduler was",
) -> str:
    """How the run came to its end, and how to go on."""
    if stopped and overview.ended < goal:
        return f"stopped after {seconds:.0f} s; the same command goes on from here"
    if over is not None:
        return f"done in {seconds:.0f} s, as the budget is reached: {over}"
    if overview.ended < goal:  # somebody has sent the scheduler a signal of its own
        return f"stopped after {seconds:.0f} s, as {ended_by}; the same command goes on from here"
    return f"done in {seconds:.0f} s; a larger --jobs goes on from here"
