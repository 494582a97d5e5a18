"""Opening a database of either kind, and the word an operator gets when that fails."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select, text

from loreley.db.engine import Database, now, open_database
from loreley.db.models import jobs
from loreley.errors import ConfigError, LoreleyError, ServiceUnavailable
from loreley.host.deadline import Deadline
from loreley.host.locks import hold_lock
from tests.db.opening import create_job, refusal
from tests.db.support import rows


class Interrupted(BaseException):
    """As Dramatiq's interrupts are."""


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, Interrupted])
def test_an_exception_undoes_the_transaction(
    database: Database, error: type[BaseException]
) -> None:
    create_job(database)

    with pytest.raises(error), database.begin() as connection:  # noqa: PT012
        connection.execute(jobs.delete())
        raise error

    assert len(rows(database, "jobs")) == 1


def test_the_clock_is_the_same_for_everyone(database: Database) -> None:
    with database.read() as connection:
        assert connection.execute(select(now())).scalar_one() == pytest.approx(time.time(), abs=5)


def test_the_clock_goes_on_within_a_transaction(database: Database) -> None:
    with database.begin() as connection:
        first = connection.execute(select(now())).scalar_one()
        time.sleep(0.005)  # what passes is the very thing under test
        assert connection.execute(select(now())).scalar_one() > first


def test_readers_are_not_held_up_by_a_writer(database: Database) -> None:
    create_job(database)

    with database.begin() as writing:
        writing.execute(jobs.delete())
        with database.read() as reading:
            assert len(reading.execute(select(jobs)).all()) == 1


def test_writers_wait_for_each_other(database: Database) -> None:
    """The read and the write that depends on it cannot be torn apart."""
    create_job(database)
    with database.begin() as connection:
        connection.execute(jobs.update().values(seed=0))

    def count() -> None:
        for _ in range(10):
            with database.begin() as connection:
                connection.execute(jobs.update().values(worker="x"))  # takes the row's lock
                seed = connection.execute(select(jobs.c.seed)).scalar_one()
                connection.execute(jobs.update().values(seed=seed + 1))

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert rows(database, "jobs")[0]["seed"] == 30


def test_a_wrong_statement_is_no_outage(database: Database) -> None:
    with pytest.raises(Exception, match="nosuch") as raised, database.begin() as connection:
        connection.execute(text("SELECT * FROM nosuch"))

    assert not isinstance(raised.value, LoreleyError)


def test_closing_closes_every_connection(database_url: str) -> None:
    database = open_database(database_url)
    with database.read() as connection:
        raw = connection.connection.dbapi_connection
    assert raw is not None
    database.close()

    with pytest.raises(Exception, match="closed"):
        raw.cursor().execute("SELECT 1")


# --- SQLite


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "loreley.db"


@contextmanager
def locked(path: Path) -> Iterator[sqlite3.Connection]:
    """The database while another program writes to it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_missing_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "loreley.db"

    open_database(f"sqlite:///{path}").close()

    assert path.is_file()


def test_sqlite_is_set_up_for_several_processes(path: Path) -> None:
    database = open_database(f"sqlite:///{path}")

    with database.read() as connection:
        wanted = {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 30000}
        for pragma, value in wanted.items():
            assert connection.execute(text(f"PRAGMA {pragma}")).scalar_one() == value, pragma
    database.close()


def test_an_up_to_date_database_opens_while_another_process_writes(path: Path) -> None:
    url = f"sqlite:///{path}"
    open_database(url).close()

    with locked(path), hold_lock(Path(f"{path}.lock"), Deadline()):
        open_database(url).close()


def test_a_database_that_stays_locked_is_reported(path: Path) -> None:
    url = f"sqlite:///{path}?timeout=0.1"
    database = open_database(url)

    with locked(path):
        with pytest.raises(ServiceUnavailable) as raised:
            create_job(database)
        [problem] = raised.value.problems

    assert "locked" in problem.reason
    assert "another process" in problem.fix
    create_job(database)
    database.close()


def test_a_new_database_that_another_program_locks_is_reported(path: Path) -> None:
    with locked(path):
        error = refusal(f"sqlite:///{path}?timeout=0.1")

    assert isinstance(error, ServiceUnavailable)
    assert "locked" in error.summary


@pytest.mark.slow
def test_opening_waits_for_seconds_where_work_would_wait_longer(path: Path) -> None:
    with locked(path):
        error = refusal(f"sqlite:///{path}", within=9)

    assert isinstance(error, ServiceUnavailable)


@pytest.mark.slow
def test_a_process_that_hangs_in_its_first_open_holds_nobody_up_for_ever(path: Path) -> None:
    with hold_lock(Path(f"{path}.lock"), Deadline()):
        error = refusal(f"sqlite:///{path}", within=9)

    assert isinstance(error, ServiceUnavailable)
    assert f"{path}.lock" in error.summary


@pytest.mark.parametrize(
    "name",
    [
        "/proc/nowhere/loreley.db",
        "/proc/loreley.db",
        "{tmp}/file/loreley.db",
        "{tmp}/folder",
        "{tmp}/garbage",
        "/dev/null",
        "{tmp}/" + "x" * 300,
    ],
)
def test_a_place_that_cannot_hold_a_database_is_reported(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    (tmp_path / "garbage").write_bytes(b"not a database, but long enough to be one " * 100)

    error = refusal(f"sqlite:///{name.format(tmp=tmp_path)}")

    assert isinstance(error, ConfigError), error
    [problem] = error.problems
    assert "DATABASE_URL" in problem.setting
    assert problem.reason
    assert "server" not in problem.fix


def test_a_database_of_another_program_is_left_as_it_is(database_url: str) -> None:
    database = open_database(database_url)
    with database.begin() as connection:
        for table in ("alembic_version", "metrics", "artifacts", "elites", "evaluations"):
            connection.execute(text(f"DROP TABLE {table}"))
    database.close()

    error = refusal(database_url)

    assert isinstance(error, ConfigError), error
    assert "already exists" in error.summary
    assert isinstance(refusal(database_url), ConfigError)  # nothing was half made


# --- PostgreSQL
