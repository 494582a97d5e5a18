"""A PostgreSQL server that refuses, goes away, or is short of something."""

import threading
from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import ProgrammingError

from loreley.db.engine import open_database, read_revision
from loreley.db.migrations import HEAD
from loreley.db.models import jobs
from loreley.errors import ConfigError, ServiceUnavailable
from tests.db.opening import SECRET, create_job, refusal
from tests.db.support import rows
from tests.services import GUARDED_ROLE, free_port, postgresql_database, silent_server


@pytest.fixture
def postgresql(postgresql_url: str) -> Iterator[str]:
    with postgresql_database(postgresql_url, f"test_{uuid4().hex}") as url:
        yield url


def test_a_port_where_nobody_listens_is_reported() -> None:
    port = free_port()

    error = refusal(f"postgresql+psycopg://u:{SECRET}@127.0.0.1:{port}/db")

    assert isinstance(error, ServiceUnavailable)
    [problem] = error.problems
    assert problem.target == f"postgresql+psycopg://***@127.0.0.1:{port}/db"
    assert "refused" in problem.reason
    assert "server runs" in problem.fix


@pytest.mark.slow
def test_a_server_that_says_nothing_is_given_up() -> None:
    with silent_server() as port:
        error = refusal(f"postgresql+psycopg://u:{SECRET}@127.0.0.1:{port}/db", within=9)

    assert isinstance(error, ServiceUnavailable)
    assert "timeout" in error.summary


def test_a_name_nobody_knows_is_reported() -> None:
    error = refusal(f"postgresql+psycopg://u:{SECRET}@host.invalid/db", within=9)

    assert isinstance(error, ServiceUnavailable)
    assert "host.invalid" in error.summary


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_holds_not_every_text_is_refused(
    encoding: str, postgresql_url: str
) -> None:
    """Row 36: of SQL_ASCII the driver gives bytes for text, and LATIN1 lacks most letters."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' "
            "TEMPLATE template0"
        )
    try:
        url = f"{postgresql_url.rpartition('/')[0]}/{name}"
        error = refusal(
            url.replace("postgresql://postgres@", f"postgresql+psycopg://postgres:{SECRET}@")
        )
        with pytest.raises(ConfigError, match=encoding):
            read_revision(url.replace("postgresql:", "postgresql+psycopg:"))
    finally:
        with psycopg.connect(postgresql_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    assert isinstance(error, ConfigError)
    [problem] = error.problems
    assert problem.setting == "DATABASE_URL"
    assert encoding in problem.reason
    assert "ENCODING 'UTF8'" in problem.fix


def test_a_wrong_password_is_reported(postgresql: str, postgresql_url: str) -> None:
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {GUARDED_ROLE} LOGIN PASSWORD 'right'")
    try:
        url = postgresql.replace("postgres@", f"{GUARDED_ROLE}:{SECRET}@")
        error = refusal(url)
    finally:
        with psycopg.connect(postgresql_url, autocommit=True) as connection:
            connection.execute(f"DROP ROLE {GUARDED_ROLE}")

    assert "password authentication failed" in error.summary


def test_a_database_that_does_not_exist_is_reported(postgresql_url: str) -> None:
    url = postgresql_url.replace("postgresql:", "postgresql+psycopg:") + "x"

    assert 'database "postgresx" does not exist' in refusal(url).summary


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://u@127.0.0.1/db?no_such_option=1",
        "mysql://u@127.0.0.1/db",
        "postgresql+nosuchdriver://u@127.0.0.1/db",
        "nonsense",
        "",
    ],
)
def test_a_url_that_cannot_work_is_reported(url: str) -> None:
    error = refusal(url)

    assert isinstance(error, ConfigError), error
    assert error.problems[0].setting == "DATABASE_URL"


def terminate(server_url: str, url: str, *, closed: bool) -> None:
    """End every connection to the database, as a restart of the server does."""
    name = url.rpartition("/")[2]
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {"false" if closed else "true"}'
        )
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )


def test_a_connection_that_was_cut_while_idle_goes_unnoticed(
    postgresql: str, postgresql_url: str
) -> None:
    database = open_database(postgresql)
    create_job(database)

    terminate(postgresql_url, postgresql, closed=False)

    create_job(database, 1)
    assert len(rows(database, "jobs")) == 2
    database.close()


def test_a_connection_that_is_cut_in_a_transaction_is_an_outage(
    postgresql: str, postgresql_url: str
) -> None:
    database = open_database(postgresql)
    create_job(database)

    with pytest.raises(ServiceUnavailable), database.begin() as connection:  # noqa: PT012
        connection.execute(jobs.delete())
        terminate(postgresql_url, postgresql, closed=False)
        connection.execute(select(jobs))

    assert len(rows(database, "jobs")) == 1
    database.close()


def test_a_server_that_goes_away_is_an_outage_until_it_is_back(
    postgresql: str, postgresql_url: str
) -> None:
    database = open_database(postgresql)
    create_job(database)
    terminate(postgresql_url, postgresql, closed=True)

    for attempt in (lambda: create_job(database, 1), lambda: rows(database, "jobs")):
        with pytest.raises(ServiceUnavailable) as raised:
            attempt()
        assert raised.value.problems[0].setting == "DATABASE_URL"

    terminate(postgresql_url, postgresql, closed=False)
    create_job(database, 1)
    database.close()


def test_a_server_that_only_reads_is_an_outage_until_it_writes(
    postgresql: str, postgresql_url: str
) -> None:
    database = open_database(postgresql)
    name = postgresql.rpartition("/")[2]

    def set_read_only(value: str) -> None:
        with psycopg.connect(postgresql_url, autocommit=True) as connection:
            connection.execute(
                f'ALTER DATABASE "{name}" SET default_transaction_read_only = {value}'
            )

    set_read_only("on")
    database.engine.dispose()  # the setting holds for new connections
    with pytest.raises(ServiceUnavailable) as raised:
        create_job(database)
    set_read_only("off")

    create_job(database)
    assert "read-only transaction" in raised.value.problems[0].reason
    assert "writable" in raised.value.problems[0].fix
    database.close()


@pytest.mark.parametrize(("state", "fix"), [("53100", "disk"), ("53300", "max_connections")])
def test_a_server_that_lacks_something_is_an_outage(postgresql: str, state: str, fix: str) -> None:
    database = open_database(postgresql)
    refuse = f"DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '{state}'; END $$"

    with pytest.raises(ServiceUnavailable) as raised, database.begin() as connection:
        connection.execute(text(refuse))

    assert fix in raised.value.problems[0].fix
    database.close()


def test_a_server_without_a_free_connection_is_reported_as_that(
    postgresql: str, postgresql_url: str
) -> None:
    name = postgresql.rpartition("/")[2]
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
    try:
        error = refusal(postgresql.replace("postgres@", "crowded@"))
    finally:
        with psycopg.connect(postgresql_url, autocommit=True) as connection:
            connection.execute("DROP ROLE crowded")

    assert name in error.problems[0].target
    assert isinstance(error, ServiceUnavailable)
    assert "max_connections" in error.problems[0].fix


def test_what_the_server_refuses_for_good_is_no_outage(
    postgresql: str,
) -> None:
    database = open_database(postgresql)

    with pytest.raises(ProgrammingError), database.begin() as connection:
        connection.execute(text("SELECT nosuch FROM jobs"))

    database.close()


def test_a_lock_that_is_never_given_back_is_not_waited_for_for_ever(postgresql: str) -> None:
    """Row 38: a process that was frozen in a transaction holds it."""
    with (
        closing(open_database(postgresql)) as database,
        closing(open_database(postgresql)) as other,
    ):
        create_job(database)
        with database.read() as connection:
            assert connection.execute(text("SHOW lock_timeout")).scalar() == "30s"
            idle = text("SHOW idle_in_transaction_session_timeout")
            assert connection.execute(idle).scalar() == "2min"

        def change() -> None:
            with database.begin() as mine:
                mine.execute(text("SET LOCAL lock_timeout = '50ms'"))
                mine.execute(update(jobs).values(state="running"))

        with other.begin() as frozen:
            frozen.execute(update(jobs).values(state="running"))
            with pytest.raises(ServiceUnavailable, match="lock timeout") as raised:
                change()

    assert "pg_stat_activity" in raised.value.fix


def test_a_migration_waits_for_another_as_long_as_it_takes(postgresql: str) -> None:
    with psycopg.connect(postgresql.replace("+psycopg", "")) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [0x10E1E7])
        thread = threading.Thread(target=lambda: open_database(postgresql).close())
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join(30)

    assert read_revision(postgresql) == HEAD
