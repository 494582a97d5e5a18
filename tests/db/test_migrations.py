"""The schema that the revisions make, and who may bring a database up to date."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, CheckConstraint, inspect, text

from loreley.db import migrations
from loreley.db.engine import Database, open_database
from loreley.db.migrations import HEAD, current_revision, migrate
from loreley.db.models import metadata
from loreley.errors import ConfigError
from tests.support import PROJECT_ROOT


def revisions() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return ScriptDirectory.from_config(config)


def test_head_is_the_newest_revision() -> None:
    assert revisions().get_heads() == [HEAD]


def test_revisions_are_numbered_in_their_order() -> None:
    names = [script.revision for script in revisions().walk_revisions()]

    assert names == sorted(names, reverse=True)
    assert names[-1] == "0001"


def defaults_differ(*arguments: Any) -> bool | None:
    """Alembic's question for each column; None leaves it to Alembic, which cannot compare JSON."""
    _context, _inspected, column, in_database, _default, rendered = arguments
    if isinstance(column.type, JSON) and in_database and rendered:
        return bool(in_database.partition("::")[0].strip("'") != rendered.strip("'"))
    return None


def test_the_revisions_make_the_schema_of_the_models(database: Database) -> None:
    options = {"compare_type": True, "compare_server_default": defaults_differ}

    with database.read() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_checks_and_key_orders_are_those_of_the_models(database: Database) -> None:
    """Alembic's comparison does not look at these."""
    inspector = inspect(database.engine)

    for table in metadata.sorted_tables:
        key = inspector.get_pk_constraint(table.name)
        assert key["constrained_columns"] == [column.name for column in table.primary_key]
        found = {check["sqltext"] for check in inspector.get_check_constraints(table.name)}
        checks = [one for one in table.constraints if isinstance(one, CheckConstraint)]
        assert found == {str(check.sqltext) for check in checks}, table.name


def test_an_empty_database_has_no_revision_and_an_open_one_the_newest(database_url: str) -> None:
    database = open_database(database_url)

    with database.read() as connection:
        assert current_revision(connection) == HEAD
    with database.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    with database.read() as connection:
        assert current_revision(connection) is None
    database.close()


def test_migrating_again_changes_nothing(database: Database) -> None:
    before = inspect(database.engine).get_table_names()

    migrate(database.engine)

    assert inspect(database.engine).get_table_names() == before


def test_a_database_of_a_newer_version_is_refused_and_left_alone(database_url: str) -> None:
    database = open_database(database_url)
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()

    with pytest.raises(ConfigError) as raised:
        open_database(database_url)

    [problem] = raised.value.problems
    assert problem.what == "the database was written by another version of Loreley"
    assert "9999" in problem.reason
    assert HEAD in problem.reason
    with pytest.raises(ConfigError):
        open_database(database_url)


FIRST_OPEN = """
import sys
from loreley.db.engine import open_database
from loreley.db.schedule import Experiment, Schedule
sys.stdin.readline()
database = open_database(sys.argv[1])
print(Schedule(database).begin_experiment(Experiment(sys.argv[2] * 40, {})).root_commit)
"""


@pytest.mark.slow
def test_processes_that_open_a_new_database_at_once_agree(database_url: str) -> None:
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", FIRST_OPEN, database_url, letter],
            cwd=PROJECT_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for letter in "abcd"
    ]
    for opener in openers:  # all have imported by now, or will open a little later
        assert opener.stdin is not None
        opener.stdin.write("go\n")
        opener.stdin.flush()

    answers = [opener.communicate(timeout=60) for opener in openers]

    assert [err for _out, err in answers] == [""] * len(openers)
    assert len({out for out, _err in answers}) == 1
