"""`invoke note …` and `invoke notes`: what people and earlier agents tell later agents."""

from contextlib import closing
from datetime import UTC, datetime

from loreley.config import Settings
from loreley.core.sandbox.child_output import one_line
from loreley.db.briefs.notebook import (
    add_note,
    read_findings,
    read_standing_notes,
    withdraw_note,
)
from loreley.db.engine import open_database
from loreley.db.experiment import read_experiment
from loreley.errors import ConfigError
from loreley.invocation import typed

LONGEST_NOTE = 2_000


def parse_note(text: str) -> str:
    """The note as one line that may stand in a brief.

    Raises `ConfigError` for one that says nothing or too much.
    """
    line = one_line(text)
    if not line or len(line) > LONGEST_NOTE:
        raise ConfigError(
            "that is no note",
            reason=f"it has {len(line)} characters, 1 to {LONGEST_NOTE} are allowed",
            fix="say in a line what every later agent is to know, as in "
            + typed('note "Do not touch the parser."'),
        )
    return line


def save_note(settings: Settings, text: str) -> str:
    """Put a line into every later brief; what was done, in words."""
    line = parse_note(text)
    with closing(open_database(settings.sqlalchemy_url)) as database:
        number = add_note(database, line)
    return (
        f"note {number} is in every later brief; `{typed(f'notes --withdraw {number}')}` ends that"
    )


def list_notes(settings: Settings) -> str:
    """The notes of people, and what agents have found out with its figures, one a line."""
    with closing(open_database(settings.sqlalchemy_url)) as database, database.read() as connection:
        standing = read_standing_notes(connection)
        known = read_experiment(connection)
        findings = read_findings(connection, known) if known else []
    lines = [_write_line(note.id, note.created_at, note.text) for note in standing]
    if not lines:
        lines = [f'no notes; `{typed("note")} "…"` adds a line to every later brief']
    if findings:
        lines += ["", "What agents have found out; briefs quote what the figures bear out:"]
        lines += [
            _write_line(each.id, each.created_at, f"{each.standing:<12}  {each.describe()}")
            for each in findings
        ]
    return "\n".join(lines)


def _write_line(number: int, at: float, text: str) -> str:
    return f"{number:>4}  {datetime.fromtimestamp(at, UTC).astimezone():%Y-%m-%d %H:%M}  {text}"


def withdraw(settings: Settings, number: int) -> str:
    """Leave a note out of later briefs; raises `ConfigError` where no such note stands."""
    with closing(open_database(settings.sqlalchemy_url)) as database:
        if not withdraw_note(database, number):
            raise ConfigError(
                "no such note stands",
                target=str(number),
                fix=f"`{typed('notes')}` lists those that do",
            )
    return f"note {number} is withdrawn"
