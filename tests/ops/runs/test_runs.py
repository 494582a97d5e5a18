"""Several runs with names in one state folder or database: apart, listed, renamed and deleted."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from loreley.config import Settings
from loreley.db.engine import open_database
from loreley.db.workers import WorkerProcess, register
from loreley.errors import ConfigError, LoreleyError
from loreley.ops.runs.changing import delete_run, rename_run
from loreley.ops.runs.known import find_runs, list_runs, of_run
from tests.core.worker.upstream import Upstream, git
from tests.evolved import Evolved
from tests.services import postgresql_database


@pytest.fixture(params=["state folder", "file", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Those of a project, wherever its databases are."""
    Upstream.create(tmp_path)
    with ExitStack() as stack:
        url = None
        if request.param == "file":
            url = f"sqlite:///{tmp_path / 'own.db'}"
        elif request.param == "postgresql":
            server = request.getfixturevalue("postgresql_url")
            url = stack.enter_context(postgresql_database(server, f"test_{uuid4().hex}"))
        yield Settings(
            _env_file=None,
            loreley_state_dir=tmp_path / "state",
            database_url=url,
            worker_repo_remote_url=str(tmp_path / "remote.git"),
        )


def begin(settings: Settings, name: str | None, best: float) -> None:
    """A run of this name whose best commit is so fit."""
    database = open_database(of_run(settings, name).sqlalchemy_url)
    run = Evolved(database)
    run.root(1.0)
    run.child(best)
    database.close()


def best_of(settings: Settings, name: str | None) -> float:
    known = {run["name"]: run for run in json.loads(list_runs(settings, as_json=True))}
    return float(known[name]["best"])


def test_runs_are_apart_and_listed_beside_each_other(settings: Settings) -> None:
    assert find_runs(settings) == []
    begin(settings, None, 2.0)
    begin(settings, "slow", 3.0)
    begin(settings, "fast", 4.0)

    assert find_runs(settings) == [None, "fast", "slow"]
    assert [best_of(settings, name) for name in (None, "fast", "slow")] == [2.0, 4.0, 3.0]
    told = list_runs(of_run(settings, "fast"), as_json=False).splitlines()
    assert [line.split()[0] for line in told] == ["run", "(unnamed)", "fast", "slow"]
    assert "not confirmed yet" in told[1]


def test_a_run_gets_another_name_with_all_it_has(settings: Settings) -> None:
    begin(settings, "fast", 4.0)

    assert rename_run(settings, "fast", "quick").startswith("run fast is called quick now")

    assert [name for name in find_runs(settings) if name] == ["quick"]
    assert best_of(settings, "quick") == 4.0
    begin(settings, "slow", 3.0)
    with pytest.raises(ConfigError, match="there is such a run already"):
        rename_run(settings, "slow", "quick")
    with pytest.raises(ConfigError, match="there is no such run"):
        rename_run(settings, "nothing", "other")
    for name in ("a/b", "../x", "Fast", "", "9", 'x"; DROP SCHEMA public'):
        with pytest.raises(ConfigError, match="no name of a run"):
            rename_run(settings, "quick", name)


def test_a_run_is_deleted_with_its_branches_and_no_other(
    settings: Settings, tmp_path: Path
) -> None:
    begin(settings, None, 2.0)
    begin(settings, "fast", 4.0)
    author = tmp_path / "author"
    for branch in ("evolution/job/1", "evolution/job-fast/2"):
        git("push", "-q", "origin", f"HEAD:refs/heads/{branch}", cwd=author)

    with pytest.raises(ConfigError, match="nothing was deleted"):
        list(delete_run(settings, "fast", yes=False))
    assert find_runs(settings) == [None, "fast"]
    said = list(delete_run(settings, "fast", yes=True))

    assert said == ["run fast is deleted", "1 branches below evolution/job-fast are deleted"]
    assert find_runs(settings) == [None]
    assert best_of(settings, None) == 2.0
    assert "evolution/job/1" in git("branch", "--list", cwd=tmp_path / "remote.git")


def test_a_run_at_work_is_left_alone(settings: Settings) -> None:
    begin(settings, "fast", 4.0)
    database = open_database(of_run(settings, "fast").sqlalchemy_url)
    with database.begin() as connection:
        register(connection, WorkerProcess("1", "h:1", "h", "b", "1", "none"))
    database.close()

    with pytest.raises(LoreleyError, match=r"(?s)run fast is at work.*1 workers are online"):
        rename_run(settings, "fast", "quick")
    with pytest.raises(LoreleyError, match="run fast is at work"):
        list(delete_run(settings, "fast", yes=True))
    assert best_of(settings, "fast") == 4.0


def test_a_run_with_a_name_shares_neither_queue_nor_branches_nor_logs(tmp_path: Path) -> None:
    plain = Settings(_env_file=None, loreley_state_dir=tmp_path)
    named = Settings(_env_file=None, loreley_state_dir=tmp_path, loreley_run="fast")

    assert plain.tasks_queue_name == "loreley.evolution"
    assert named.tasks_queue_name == "loreley.evolution.fast"
    assert plain.worker_repo_job_branch_prefix == "evolution/job"
    assert named.worker_repo_job_branch_prefix == "evolution/job-fast"
    assert plain.logs_base_dir is None
    assert named.logs_base_dir == str(tmp_path / "runs" / "fast")
    assert named.sqlalchemy_url == f"sqlite:///{tmp_path}/runs/fast/loreley.db"
    elsewhere = Settings(_env_file=None, logs_base_dir="/var/log/x", loreley_run="fast")
    assert elsewhere.logs_base_dir == "/var/log/x/runs/fast"


@pytest.mark.slow
def test_a_schema_is_made_once_and_looking_makes_none(postgresql_url: str) -> None:
    with postgresql_database(postgresql_url, f"test_{uuid4().hex}") as url:
        settings = Settings(_env_file=None, database_url=url, loreley_run="fast")
        assert find_runs(settings) == []
        for _ in range(2):
            database = open_database(settings.sqlalchemy_url)
            with database.read() as connection:
                known = connection.execute(text("SELECT current_schema()")).scalar()
            database.close()
            assert known == "loreley_run_fast"
            assert find_runs(settings) == ["fast"]
