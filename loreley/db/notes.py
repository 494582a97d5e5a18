"""What people say to every later agent, until they withdraw it."""

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from loreley.db.engine import Database, now
from loreley.db.models import notes


@dataclass(frozen=True, slots=True)
class Note:
    """A line for every later brief."""

    id: int
    text: str
    created_at: float  # seconds since 1970, UTC


def add_note(database: Database, note: str) -> int:
    """Keep a note for every later agent; its number."""
    with database.begin() as connection:
        added = notes.insert().values(text=note, created_at=now()).returning(notes.c.id)
        return int(connection.execute(added).scalar_one())


def withdraw_note(database: Database, note_id: int) -> bool:
    """Withdraw a note; False where no such note stands."""
    with database.begin() as connection:
        withdrawn = connection.execute(
            update(notes)
            .where(notes.c.id == note_id, notes.c.withdrawn_at.is_(None))
            .values(withdrawn_at=now())
        )
        return withdrawn.rowcount == 1


def read_standing_notes(connection: Connection) -> list[Note]:
    """The notes that were not withdrawn, the oldest first."""
    query = select(notes).where(notes.c.withdrawn_at.is_(None)).order_by(notes.c.id)
    return [Note(row.id, row.text, row.created_at) for row in connection.execute(query)]
