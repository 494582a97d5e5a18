"""A run that an earlier version began, and this one goes on with: see tests/data/old_runs/."""

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, text

from loreley.core.jobs import FINAL_STATES
from loreley.views.overview import read_overview
from tests.support import PROJECT_ROOT
from tests.system.stack import Stack, create_stack, finished

OLD_RUNS = PROJECT_ROOT / "tests" / "data" / "old_runs"
JOBS_THEN, ENDED_THEN, JOBS_WANTED = 18, 10, 26

pytestmark = pytest.mark.slow


def load(database_url: str) -> str:
    """Fill an empty database with the old run of its kind; the kind."""
    kind = "sqlite" if database_url.startswith("sqlite") else "postgresql"
    dump = (OLD_RUNS / f"{kind}.sql").read_text()
    if kind == "sqlite":
        with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
            connection.executescript(dump)
        connection.close()
    else:
        with psycopg.connect(database_url.replace("+psycopg", "")) as server:
            server.execute(dump)  # type: ignore[call-overload,unused-ignore]
    return kind


def rows(database_url: str, query: str) -> list[dict[str, Any]]:
    """What a query answers, without any code that knows the schema of today."""
    engine = create_engine(database_url)
    try:
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(query)).mappings()]
    finally:
        engine.dispose()


@pytest.fixture
def old_run(tmp_path: Path, redis_url: str, database_url: str) -> Iterator[Stack]:
    """The services and repository of a run that was begun by an earlier version."""
    kind = load(database_url)
    stack = create_stack(tmp_path / "stack", redis_url, database_url)
    shutil.rmtree(stack.remote)
    git = ["git", "-C", str(stack.remote)]
    for command in (
        ["git", "init", "-q", "--bare", "-b", "main", str(stack.remote)],
        [*git, "fetch", "-q", str(OLD_RUNS / f"{kind}.bundle"), "refs/heads/*:refs/heads/*"],
    ):
        subprocess.run(command, check=True)
    yield stack
    stack.close()


def test_an_old_run_is_shown_as_it_was(old_run: Stack) -> None:
    [best] = rows(old_run.database_url, "SELECT max(score) AS fitness FROM elites")
    with old_run.database() as database:
        overview = read_overview(database)
    assert overview is not None
    assert overview.best is not None
    assert overview.best.fitness == best["fitness"]
    assert (overview.total, overview.ended) == (JOBS_THEN, ENDED_THEN)


def test_an_old_run_goes_on_to_its_end(old_run: Stack) -> None:
    url = old_run.database_url
    jobs_then = rows(url, "SELECT id, state, ordinal, attempt, finished_at FROM jobs")
    commits_then = rows(url, 'SELECT "commit", tree, parent FROM commits')
    archive_then = rows(url, "SELECT island, cell, score FROM elites")

    worker = old_run.start_worker()
    finished(old_run.start_scheduler("--max-jobs", str(JOBS_WANTED)), worker)
    assert worker.stop() == 0, worker.said

    old_run.require_whole(jobs_wanted=JOBS_WANTED)
    jobs_now = {row["id"]: row for row in rows(url, "SELECT * FROM jobs")}
    searched = {row["ordinal"] for row in jobs_now.values() if row["kind"] != "confirmation"}
    assert len(searched) == JOBS_WANTED + 1
    for job in jobs_then:
        now = jobs_now[job["id"]]
        if job["state"] in FINAL_STATES:
            assert {name: now[name] for name in job} == job
        else:
            assert now["state"] in FINAL_STATES
            assert now["attempt"] > job["attempt"], "a job that was under way begins anew"
    commits_now = rows(url, 'SELECT "commit", tree, parent FROM commits')
    assert [row for row in commits_then if row not in commits_now] == []
    assert len(commits_now) > len(commits_then)
    fitness_now = {
        (row["island"], row["cell"]): row["score"]
        for row in rows(url, "SELECT island, cell, score FROM elites")
    }
    for elite in archive_then:
        assert fitness_now[elite["island"], elite["cell"]] >= elite["score"]
    with old_run.database() as database:
        overview = read_overview(database)
    assert overview is not None
    assert overview.best is not None
    assert overview.best.fitness == max(fitness_now.values())
    assert overview.ended == overview.total == JOBS_WANTED
