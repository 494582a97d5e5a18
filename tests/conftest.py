"""What every test may rely on: a private home, no settings from outside, real services."""

import os
import shutil
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from loreley.config import environment_names, get_settings
from loreley.db.engine import Database, open_database
from loreley.db.models import metadata
from tests.figures import figure as figure
from tests.figures import pytest_terminal_summary as pytest_terminal_summary
from tests.services import postgresql_database, postgresql_server, redis_server

_SETTINGS = environment_names()

# What is ignored here, as in the background of a shell or under nohup, programs started from here
# would never hear.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(tryfirst=True)  # before pytest looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Count whatever needs a PostgreSQL server among the slow tests: starting one takes seconds."""
    for item in items:
        given = getattr(item, "callspec", None)
        on_postgresql = given is not None and "postgresql" in given.params.values()
        if on_postgresql or "postgresql_url" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """New folders, one after the other.

    All in one: pytest looks through everything beside a folder that it is to number.
    """
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def _hermetic(_homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    home = next(_homes)
    home.mkdir()
    for name in list(os.environ):
        if name in _SETTINGS or name.startswith(("GIT_", "LORELEY_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Test")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "test@example.invalid")
    monkeypatch.setenv("GIT_COMMITTER_NAME", "Test")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "test@example.invalid")
    monkeypatch.setenv("WORKER_TUNE_SECONDS", "0")  # but for what is about tuning
    monkeypatch.chdir(home)  # a developer has an .env in the project's folder
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL server for the session; the URL of its maintenance database."""
    with postgresql_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    server = request.getfixturevalue("postgresql_url")
    with postgresql_database(server, f"test_{uuid4().hex}") as url:
        yield url


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database that holds the schema and nothing else."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    open_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def state_dir(_sqlite_template: Path, tmp_path: Path) -> Path:
    """A state folder whose database holds the schema and no row; in milliseconds."""
    shutil.copy(_sqlite_template, tmp_path / "loreley.db")
    return tmp_path


@pytest.fixture(scope="session")
def _postgresql_database(postgresql_url: str) -> Iterator[Database]:
    """A database of the session's PostgreSQL server, with the schema."""
    with postgresql_database(postgresql_url, f"shared_{uuid4().hex}") as url:
        database = open_database(url)
        yield database
        database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An open database with the schema and no row, once of each kind; in milliseconds."""
    if request.param == "sqlite":
        copy = shutil.copy(request.getfixturevalue("_sqlite_template"), tmp_path / "test.db")
        database = open_database(f"sqlite:///{copy}")
        yield database
        database.close()
        return
    database = request.getfixturevalue("_postgresql_database")
    names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
    with database.begin() as connection:
        connection.execute(text(f"TRUNCATE {names}"))
    yield database


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh Redis server of Debian's."""
    folder = tmp_path / "redis"
    folder.mkdir()
    with redis_server(folder) as url:
        yield url
