"""Opening the database: connections that are safe to share, and a clear word when it is down."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Float

from loreley.db.migrations import migrate
from loreley.errors import ConfigError, ServiceUnavailable
from loreley.secrets import masked

_CONNECT_SECONDS = 5
_SQLITE_BUSY_SECONDS = 30

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
        with self._answering(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads and blocks nobody."""
        with self._answering(), self.engine.connect() as connection:
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
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if error.connection_invalidated or _is_outage(error):
                raise _unavailable(self.engine.url, error) from error
            raise


def open_database(url: str) -> Database:
    """Connect, and bring the schema up to date; in some seconds or with a clear refusal.

    Raises `ConfigError` for a URL that cannot work or a database of a newer Loreley,
    `ServiceUnavailable` when the server does not answer.
    """
    parsed, engine = _create_engine(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            _prepare_sqlite(engine, parsed)
        migrate(engine)
    except DBAPIError as error:
        engine.dispose()
        raise _unavailable(parsed, error) from error
    return Database(engine)


def _create_engine(url: str) -> tuple[URL, Engine]:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            _make_folder(parsed)
            engine = create_engine(parsed, connect_args={"timeout": _SQLITE_BUSY_SECONDS})
            event.listen(engine, "connect", _on_sqlite_connect)
            event.listen(engine, "begin", _on_sqlite_begin)
        else:
            engine = create_engine(
                parsed,
                connect_args={"connect_timeout": _CONNECT_SECONDS},
                pool_pre_ping=True,
                pool_size=3,
            )
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
        driver = isinstance(error, ModuleNotFoundError)
        raise ConfigError(
            "DATABASE_URL cannot be used",
            setting="DATABASE_URL",
            target=masked(url),
            reason=masked(str(error)),
            fix="install the driver: uv sync --extra postgres"
            if driver
            else "give a URL such as postgresql://user:password@host:5432/name",
        ) from error
    return parsed, engine


def _make_folder(url: URL) -> None:
    if url.database and url.database != ":memory:":
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                "the folder of the database cannot be made",
                setting="LORELEY_STATE_DIR, DATABASE_URL",
                target=str(Path(url.database).parent),
                reason=str(error),
                fix="choose a folder this user may write to",
            ) from error


def _on_sqlite_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would be a deferred one
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _on_sqlite_begin(connection: Connection) -> None:
    readonly = connection.get_execution_options().get("loreley_readonly", False)
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")


def _prepare_sqlite(engine: Engine, url: URL) -> None:
    """Set write-ahead logging once, under a lock: concurrent first opens fail otherwise."""
    if not url.database or url.database == ":memory:":
        return
    with Path(f"{url.database}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        raw = engine.raw_connection()
        try:
            raw.cursor().execute("PRAGMA journal_mode=WAL")
        finally:
            raw.close()


def _is_outage(error: DBAPIError) -> bool:
    text = str(error.orig).lower()
    return any(
        sign in text
        for sign in ("database is locked", "disk i/o", "database or disk is full", "unable to open")
    )


def _unavailable(url: URL, error: DBAPIError) -> ServiceUnavailable:
    return ServiceUnavailable(
        "the database does not answer as needed",
        setting="DATABASE_URL",
        target=masked(url.render_as_string(hide_password=True)),
        reason=masked(str(error.orig)),
        fix="check that the server runs and that the URL's host, port, name and password are right",
    )
