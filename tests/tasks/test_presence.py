"""A worker in the table of workers, from the moment it is online to its end."""

import time

import pytest
from loguru import logger

from loreley.db.engine import Database
from loreley.db.workers import SeenWorker, WorkerProcess, drain, read_workers
from loreley.errors import ServiceUnavailable
from loreley.host.health import Health
from loreley.tasks.presence import Presence, describe_worker
from tests.support import eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]


def only(database: Database) -> SeenWorker:
    with database.read() as connection:
        (worker,) = read_workers(connection)
    return worker


def test_a_worker_is_online_hears_that_it_is_to_drain_and_leaves(database: Database) -> None:
    health = Health()
    presence = Presence(database, describe_worker("bubblewrap"), health)

    with presence.shown():
        assert only(database).is_online
        eventually(lambda: health.trouble == "")
        with database.begin() as connection:
            assert drain(connection, only(database).host) == [only(database).name]
        eventually(lambda: presence.is_draining, within=3)
        eventually(lambda: health.trouble == "drained", within=3)

    assert only(database).left is not None


def test_the_last_warning_of_its_log_is_shown_without_secrets(database: Database) -> None:
    presence = Presence(database, describe_worker("limits"), Health())

    with presence.shown():
        logger.warning("Redis at redis://:hunter2@host:1 does not answer")
        eventually(lambda: only(database).last_word is not None, within=10)
        word = only(database).last_word

    assert word is not None
    assert "does not answer" in word
    assert "hunter2" not in word


def test_a_silent_database_holds_no_end_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    presence = Presence(database, describe_worker("limits"), Health())

    def is_silent(*_: object) -> None:
        time.sleep(5)
        raise ServiceUnavailable("the database is silent")

    with presence.shown():
        monkeypatch.setattr("loreley.tasks.presence.note_leaving", is_silent)
        began = time.monotonic()

    assert time.monotonic() - began < 4


def test_another_machine_of_this_name_is_warned_of(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    here = describe_worker("limits")
    there = WorkerProcess("1" * 36, f"{here.host}:1", here.host, "another", "1", "limits")
    said: list[str] = []
    sink = logger.add(said.append, level="WARNING")
    with Presence(database, there, Health()).shown(), Presence(database, here, Health()).shown():
        pass
    logger.remove(sink)

    assert any("another machine has this host name" in line for line in said)
