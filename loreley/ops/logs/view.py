"""`invoke logs`: the lines on the terminal."""

import sys
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from loreley.config import LOG_LEVELS, Role, expand_path
from loreley.errors import ConfigError
from loreley.invocation import typed
from loreley.ops.logs.files import LoggedRun, find_logs, find_runs
from loreley.ops.logs.tailing import Follower, LabelledEvent, drop_unfinished_line, read_last_events
from loreley.ops.messages import say

_POLL_SECONDS = 0.25


class LogView:
    """The logs of some roles below a base folder, filtered by level."""

    def __init__(self, base: Path, *, roles: Sequence[str], level: str | None) -> None:
        self._base = base
        self._roles = roles
        self._level = level
        self._labels: set[str] = set()

    def show(self, *, lines: int, run: int = 1) -> None:
        """Print the last lines of a run, 1 being the newest; raise `ConfigError` without one."""
        logs = self._find_run(run).logs
        self._labels |= {log.label for log in logs}
        self._print_last(read_last_events(logs, lines=lines, level=self._level), lines)

    def follow(self, *, lines: int) -> None:
        """Print the last lines of the newest run and then all that any process adds; no return."""
        logs = [drop_unfinished_line(log) for log in find_logs(self._base, self._roles)]
        newest = find_runs(logs)[:1]
        if not newest:
            say(f"waiting for logs below {self._base / 'logs'}")
        for run in newest:
            self._labels |= {log.label for log in run.logs}
            self._print_last(read_last_events(run.logs, lines=lines, level=self._level), lines)
        follower = Follower(self._base, self._roles, logs)
        while True:
            self._print(item for item in follower.poll() if item.event.reaches(self._level))
            time.sleep(_POLL_SECONDS)

    def list_runs(self) -> None:
        """Print which runs there are, the newest first."""
        self._find_run(1)
        for number, run in enumerate(find_runs(find_logs(self._base, self._roles)), start=1):
            names = ", ".join(log.label for log in run.logs)
            print(f"{number:>3}  {_format_local(run.started)}  {_format_length(run):<12}  {names}")

    def _find_run(self, number: int) -> LoggedRun:
        runs = find_runs(find_logs(self._base, self._roles))
        if 1 <= number <= len(runs):
            return runs[number - 1]
        if runs:
            raise ConfigError(
                "there is no such run",
                setting="--run",
                target=str(number),
                fix=f"give a number from 1, the newest, to {len(runs)}; "
                f"`{typed('logs --list-runs')}`",
            )
        raise ConfigError(
            "there are no logs yet",
            setting="LOGS_BASE_DIR",
            target=", ".join(str(self._base / "logs" / role) for role in self._roles),
            fix=f"start `{typed('worker')}` or `{typed('scheduler')}`, or set LOGS_BASE_DIR as "
            "they have it",
        )

    def _print_last(self, items: Sequence[LabelledEvent], lines: int) -> None:
        printed = self._format(items)
        sys.stdout.writelines(printed[len(printed) - lines :] if lines < len(printed) else printed)
        sys.stdout.flush()

    def _print(self, items: Iterable[LabelledEvent]) -> None:
        sys.stdout.writelines(self._format(items))
        sys.stdout.flush()

    def _format(self, items: Iterable[LabelledEvent]) -> list[str]:
        chosen = list(items)
        self._labels |= {item.label for item in chosen}
        width = max(map(len, self._labels), default=0)
        several = len(self._labels) > 1
        return [
            f"{f'{item.label:<{width}} | ' if several else ''}{line}\n"
            for item in chosen
            for line in item.event.lines
        ]


def find_logs_base(value: str | None) -> Path:
    """The folder that holds `logs/`: LOGS_BASE_DIR's value, or the current directory."""
    return expand_path("LOGS_BASE_DIR", value) if value and value.strip() else Path.cwd()


def parse_roles(role: str | None) -> tuple[str, ...]:
    """The roles asked for, all without a name; raises `ConfigError` for an unknown one."""
    names = tuple(Role)
    if role is None:
        return names
    if role.lower() not in names:
        raise ConfigError(
            "there is no such role",
            setting="--role",
            target=repr(role),
            fix=f"use one of {', '.join(names)}",
        )
    return (role.lower(),)


def parse_level(level: str | None) -> str | None:
    """The level in upper case; raises `ConfigError` for an unknown one."""
    if level is None or level.upper() in LOG_LEVELS:
        return level and level.upper()
    raise ConfigError(
        "the log level is not known",
        setting="--level",
        target=repr(level),
        fix=f"use one of {', '.join(LOG_LEVELS)}",
    )


def _format_local(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).isoformat(" ", "seconds")  # noqa: DTZ006 - as in the logs


def _format_length(run: LoggedRun) -> str:
    if run.ended is None:
        return "running"
    return str(timedelta(seconds=max(0, round(run.ended - run.started))))
