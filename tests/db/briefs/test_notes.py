"""What people tell every later agent, on both databases."""

from loreley.db.briefs.notebook import Note, add_note, read_standing_notes, withdraw_note
from loreley.db.engine import Database


def standing(database: Database) -> list[Note]:
    with database.read() as connection:
        return read_standing_notes(connection)


def test_a_note_stands_until_it_is_withdrawn(database: Database) -> None:
    first = add_note(database, "Look at the cache.")
    second = add_note(database, "Leave the parser alone.")

    assert [note.text for note in standing(database)] == [
        "Look at the cache.",
        "Leave the parser alone.",
    ]
    assert withdraw_note(database, first)
    assert [note.id for note in standing(database)] == [second]


def test_a_note_is_withdrawn_once(database: Database) -> None:
    number = add_note(database, "Look at the cache.")

    assert withdraw_note(database, number)
    assert not withdraw_note(database, number)
    assert not withdraw_note(database, 4711)
