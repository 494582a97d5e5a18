"""Bringing the schema of a database up to date."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from loreley.errors import ConfigError

_VERSIONS = Path(__file__).parent / "versions"
HEAD = max(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py"))  # the newest
_LOCK = 0x10E1E7  # an arbitrary key, the same in every process


def migrate(engine: Engine) -> None:
    """Apply what is missing, in one transaction; several processes may call this at once.

    Raises `ConfigError` when the database was written by a newer version.
    """
    with engine.connect().execution_options(loreley_readonly=True) as connection:
        if current_revision(connection) == HEAD:
            return
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL lock_timeout = 0"))  # others may take long
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if current_revision(connection) != HEAD:
            _upgrade(connection)


def current_revision(connection: Connection) -> str | None:
    """The revision of the schema, or None in an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    # Alembic takes longer to import than most starts need in all: only when there is work.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, HEAD)
    except CommandError as error:
        raise ConfigError(
            "the database was written by another version of Loreley",
            setting="DATABASE_URL",
            target=connection.engine.url.render_as_string(hide_password=True),
            reason=f"{error}; this version knows revision {HEAD} at most",
            fix="run the newer version, or choose another database",
        ) from error
