"""Opening the database: connections that are safe to share, and a clear word when it is down."""

import math
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Float

from loreley.config.process import SCHEMA_OF_RUN
from loreley.db.migrations import current_revision, migrate
from loreley.errors import ConfigError, ServiceUnavailable, TimeLimitReached
from loreley.host.deadline import Deadline
from loreley.host.locks import hold_lock
from loreley.invocation import installing
from loreley.masking import masked

_CONNECT_SECONDS = 5
# A server that falls silent without closing the connection is noticed within half a minute,
# not by the kernel after a quarter of an hour.
_POSTGRESQL_OPTIONS = {
    "connect_timeout": _CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
_BUSY_SECONDS = 30  # for a lock that another process holds
_LONGEST_IDLE_SECONDS = 120  # in a transaction; then PostgreSQL ends it, and its locks
_SQLITE_OUTAGES = (
    "database is locked",
    "database is busy",
    "disk i/o",
    "database or disk is full",
)

_NO_SLOT = re.compile("too many (clients|connections)|connection slots are reserved")
_READ_ONLY = "25006"  # a standby, or a primary that was demoted
_POSTGRESQL_FIXES = {
    _READ_ONLY: "let the server be writable again, or point DATABASE_URL at the one that is",
    "53100": "make room on the disk of the database server",
    "55P03": "end the process that holds the lock, such as one that was frozen: pg_stat_activity "
    "names it",
    "53300": "raise the server's max_connections, or run fewer workers",
}

Insert = sqlite.Insert | postgresql.Insert


class now(FunctionElement[float]):  # noqa: N801 - named as SQL names it
    """The database's clock, in seconds since 1970 UTC; leases are judged by it alone."""

    type = Float()
    inherit_cache = True


@compiles(now, "sqlite")
def _now_sqlite(_element: now, _compiler: SQLCompiler, **_options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _now_postgresql(_element: now, _compiler: SQLCompiler, **_options: Any) -> str:
    return "(extract(epoch FROM clock_timestamp())::float8)"


class Database:
    """One database of either kind; threads and processes may use it at the same time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A writing transaction, committed at the end and rolled back on any exception."""
        with self._translate_outages(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads and blocks nobody."""
        with self._translate_outages(), self.engine.connect() as connection:
            yield connection.execution_options(loreley_readonly=True)

    def insert(self, table: Table) -> Insert:
        """An INSERT that can say what happens on a conflict, in this database's dialect."""
        if self.engine.dialect.name == "sqlite":
            return sqlite.insert(table)
        return postgresql.insert(table)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def _translate_outages(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if _is_outage(self.engine.url, error):
                if _sqlstate(error) == _READ_ONLY:
                    self.engine.dispose()  # the next connection may reach the new primary
                raise _unavailable(self.engine.url, error) from error
            raise


def open_database(url: str) -> Database:
    """Connect, and bring the schema up to date; in some seconds or with a clear refusal.

    Raises `ConfigError` for a URL that cannot work or a database of a newer Loreley,
    `ServiceUnavailable` when the server does not answer or another process locks the file.
    """
    parsed, engine = _create_engine(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            _write_ahead(engine, Path(parsed.database or ""))
        migrate(engine)
    except (DBAPIError, sqlite3.Error) as error:
        engine.dispose()
        raise _failure(parsed, error) from error
    except BaseException:
        engine.dispose()
        raise
    if parsed.get_backend_name() == "sqlite" and "timeout" not in parsed.query:
        event.listen(engine, "connect", _wait_longer)
        engine.dispose()  # the connections that wait for less
    return Database(engine)


def read_revision(url: str) -> str | None:
    """The revision of the schema; None where there is no database yet, or an empty one.

    Nothing is made or changed. Raises like `open_database`.
    """
    if url.startswith("sqlite") and not Path(make_url(url).database or "").exists():
        return None
    parsed, engine = _create_engine(url)
    try:
        with engine.connect().execution_options(loreley_readonly=True) as connection:
            return current_revision(connection)
    except (DBAPIError, sqlite3.Error) as error:
        raise _failure(parsed, error) from error
    finally:
        engine.dispose()


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A transaction on a database as it is: no table is made, and none brought up to date.

    Raises like `open_database`.
    """
    parsed, engine = _create_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    except (DBAPIError, sqlite3.Error) as error:
        raise _failure(parsed, error) from error
    finally:
        engine.dispose()


def _create_engine(url: str) -> tuple[URL, Engine]:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            _make_folder(Path(parsed.database or ""))
            arguments = {} if "timeout" in parsed.query else {"timeout": _CONNECT_SECONDS}
            engine = create_engine(parsed, connect_args=arguments)
            event.listen(engine, "connect", _set_up_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        else:
            engine = create_engine(
                parsed,
                connect_args=_POSTGRESQL_OPTIONS,
                pool_pre_ping=True,
                pool_size=3,
            )
            # Before the dialect asks its first question, which fails where text comes as bytes.
            event.listen(engine, "connect", _require_utf8, insert=True)
            event.listen(engine, "connect", _bound_waits)
            if schema := _find_schema(parsed):
                event.listen(engine, "connect", partial(_ensure_schema, schema))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
        driver = isinstance(error, ModuleNotFoundError)
        raise ConfigError(
            "DATABASE_URL cannot be used",
            setting="DATABASE_URL",
            target=masked(url),
            reason=masked(str(error)),
            fix=f"install the driver: {installing('postgres')}"
            if driver
            else "give a URL such as postgresql://user:password@host:5432/name",
        ) from error
    return parsed, engine


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(path, str(error)) from error


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would be a deferred one
    connection.create_function("sqrt", 1, math.sqrt, deterministic=True)  # a build may lack it
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _require_utf8(connection: Any, _record: object) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise ConfigError(
            "the database cannot hold every text",
            setting="DATABASE_URL",
            target=f"{connection.info.dbname} on {connection.info.host}:{connection.info.port}",
            reason=f"its encoding is {encoding}",
            fix="create one with CREATE DATABASE <name> ENCODING 'UTF8' TEMPLATE template0, "
            "and name it",
        )


def _bound_waits(connection: Any, _record: object) -> None:
    """Wait for no lock for ever: whoever holds it may be a process that was frozen."""
    connection.execute(f"SET lock_timeout = '{_BUSY_SECONDS}s'")
    connection.execute(f"SET idle_in_transaction_session_timeout = '{_LONGEST_IDLE_SECONDS}s'")
    connection.commit()


def _find_schema(url: URL) -> str:
    """The schema of a run with a name; empty: it has none."""
    found = re.search(rf"search_path=({SCHEMA_OF_RUN}\w+)", str(url.query.get("options", "")))
    return found[1] if found else ""


def _ensure_schema(schema: str, connection: Any, _record: object) -> None:
    known = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
    if connection.execute(known, (schema,)).fetchone() is None:
        connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')  # a name of ours
    connection.commit()


def _wait_longer(connection: Any, _record: object) -> None:
    connection.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")


def _begin_sqlite(connection: Connection) -> None:
    readonly = connection.get_execution_options().get("loreley_readonly", False)
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")


def _write_ahead(engine: Engine, path: Path) -> None:
    """Set write-ahead logging once, under a lock: concurrent first opens fail otherwise."""
    try:
        path.touch()  # says what is wrong with the place; the lock would only wait
        if not path.is_file():
            raise OSError("it is not a regular file")
        if _is_write_ahead(path):
            return
        with hold_lock(Path(f"{path}.lock"), Deadline.after(_CONNECT_SECONDS)):
            raw = engine.raw_connection()
            try:
                raw.cursor().execute("PRAGMA journal_mode=WAL")
            finally:
                raw.close()
    except TimeLimitReached as error:
        raise ServiceUnavailable(
            "another process has been opening the database for too long",
            setting="LORELEY_STATE_DIR, DATABASE_URL",
            target=f"{path}.lock",
            fix="try again; if it goes on, end the process that holds this file",
        ) from error
    except OSError as error:
        raise _unusable(path, str(error)) from error


def _is_write_ahead(path: Path) -> bool:
    """By the versions in the file's header (sqlite.org/fileformat2.html); needs no lock."""
    with path.open("rb") as file:
        return file.read(20)[18:] == b"\x02\x02"


def _failure(url: URL, error: DBAPIError | sqlite3.Error) -> ServiceUnavailable | ConfigError:
    """What the operator should know when the database could not be opened."""
    if _is_outage(url, error):
        return _unavailable(url, error)
    if url.get_backend_name() == "sqlite":
        return _unusable(Path(url.database or ""), _reason(error))
    return ConfigError(
        "the database cannot be used",
        setting="DATABASE_URL",
        target=masked(url.render_as_string(hide_password=True)),
        reason=masked(_reason(error)),
        fix="correct the URL, or give Loreley a database of its own",
    )


def _is_outage(url: URL, error: DBAPIError | sqlite3.Error) -> bool:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if url.get_backend_name() == "sqlite":
        return any(sign in _reason(error).lower() for sign in _SQLITE_OUTAGES)
    # psycopg's word for what is not the statement, but for one state.
    return isinstance(error, OperationalError) or _sqlstate(error) == _READ_ONLY


def _sqlstate(error: DBAPIError | sqlite3.Error) -> str | None:
    """PostgreSQL's code of the error; None where no connection came about."""
    return getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None


def _reason(error: DBAPIError | sqlite3.Error) -> str:
    return str(error.orig if isinstance(error, DBAPIError) else error)


def _unavailable(url: URL, error: DBAPIError | sqlite3.Error) -> ServiceUnavailable:
    fix = "check that the server runs and that the URL's host, port, name and password are right"
    if url.get_backend_name() == "sqlite":
        fix = "end another process that writes to it, or make room on the disk"
    elif state := _fixable_state(error):
        fix = _POSTGRESQL_FIXES[state]
    return ServiceUnavailable(
        "the database does not answer as needed",
        setting="DATABASE_URL",
        target=masked(url.render_as_string(hide_password=True)),
        reason=masked(_reason(error)),
        fix=fix,
    )


def _fixable_state(error: DBAPIError | sqlite3.Error) -> str:
    """The state that has a fix of its own; empty for all others."""
    state = _sqlstate(error) or ""
    if _NO_SLOT.search(_reason(error)):  # said before a connection that could hold a state
        state = "53300"
    return state if state in _POSTGRESQL_FIXES else ""


def _unusable(path: Path, reason: str) -> ConfigError:
    return ConfigError(
        "the SQLite database cannot be used",
        setting="LORELEY_STATE_DIR, DATABASE_URL",
        target=str(path),
        reason=reason,
        fix="name a file of Loreley's own, in a folder this user may write to",
    )
