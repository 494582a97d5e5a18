"""What an operator is told of workers, and what comes of pause, resume, cancel and drain."""

import json
from dataclasses import replace

import pytest

from loreley.config import Settings
from loreley.core.jobs import JobKind, JobState
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.schedule import NewJob, Schedule
from loreley.db.workers import WorkerProcess, note_leaving, register
from loreley.errors import ConfigError, LoreleyError
from loreley.invocation import installed_version
from loreley.ops.fleet.steering import cancel_job, drain_workers, pause_run, resume_run
from loreley.ops.fleet.workers import list_workers
from loreley.views.pausing import read_current_pause
from tests.db.support import claimed, job_row

ROOT = "a" * 40
ONE = WorkerProcess("1" * 36, "one:1", "one", "boot-1", installed_version(), "bubblewrap")
TWO = replace(ONE, id="2" * 36, name="two:1", host="two", boot="boot-2")


@pytest.fixture
def settings(database: Database) -> Settings:
    """Those of a run with two workers."""
    Schedule(database).begin_experiment(Experiment(ROOT, {}))
    with database.begin() as connection:
        for worker in (ONE, TWO):
            register(connection, worker)
    url = database.engine.url.render_as_string(hide_password=False)
    return Settings(database_url=url)


def job(database: Database, kind: JobKind = JobKind.EVOLUTION, ordinal: int = 3) -> str:
    return Schedule(database).create(NewJob(kind, ordinal, 7, ROOT))


def test_workers_are_told_with_what_is_odd_about_them(
    settings: Settings, database: Database
) -> None:
    claimed(database, job(database))
    with database.begin() as connection:
        register(
            connection,
            replace(TWO, id="3" * 36, name="host:1", boot="b", version="0.0.9", sandbox="limits"),
        )
        note_leaving(connection, ONE.id)

    told = list_workers(settings, as_json=False)

    assert told.startswith("2 online on 1 host, 1 at work\nhost:1  job #3 for ")
    assert "two:1   waits " in told
    assert "gone   one:1: left " in told
    assert f"warning: 0.0.9 is at work, and {installed_version()} here: upgrade all" in told
    assert "warning: several machines are called two" in told
    assert "warning: sandboxes differ: bubblewrap, limits" in told
    names = [each["name"] for each in json.loads(list_workers(settings, as_json=True))]
    assert names == ["host:1", "two:1", "one:1"]


def test_a_run_pauses_once_and_goes_on(settings: Settings, database: Database) -> None:
    assert "the run pauses: running jobs go on" in pause_run(settings, "a backup\nof the host")
    assert "nothing was changed" in pause_run(settings, "")

    pause = read_current_pause(database)
    assert pause is not None
    assert "a backup of the host" in pause.why
    assert "a backup of the host" in resume_run(settings)
    assert read_current_pause(database) is None
    assert resume_run(settings) == "nothing was changed: the run does not pause"


def test_a_job_is_cancelled_whether_it_waits_or_runs(
    settings: Settings, database: Database
) -> None:
    waits, runs = job(database, ordinal=1), job(database, ordinal=2)
    claimed(database, runs)

    assert cancel_job(settings, "1") == "job #1 is cancelled; no worker had begun it"
    assert "job #2 is cancelled; host:1 gives it up" in cancel_job(settings, runs[:8])

    assert {job_row(database, each)["state"] for each in (waits, runs)} == {JobState.CANCELLED}
    with pytest.raises(LoreleyError, match="job #2 has ended"):
        cancel_job(settings, "2")
    with pytest.raises(LoreleyError, match="no such job"):
        cancel_job(settings, "77")
    job(database, JobKind.BASELINE, ordinal=-1)
    with pytest.raises(LoreleyError, match="the baseline job is no job of the search"):
        cancel_job(settings, "-1")


def test_a_host_is_drained_and_waited_for(settings: Settings, database: Database) -> None:
    lines = drain_workers(settings, "one", wait=True)

    assert next(lines) == "drains: one:1; each ends after the job that it is at"
    with database.begin() as connection:
        note_leaving(connection, ONE.id)
    assert list(lines) == ["one:1 has ended"]
    with pytest.raises(ConfigError, match=r"(?s)no such worker is online.*has ended.*two:1"):
        list(drain_workers(settings, "one", wait=False))


def test_before_there_is_a_run_there_is_nothing_to_steer(database: Database) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    settings = Settings(database_url=url)

    assert "no worker is online" in list_workers(settings, as_json=False)
    with pytest.raises(LoreleyError, match="no experiment yet"):
        pause_run(settings, "")
    with pytest.raises(LoreleyError, match="no experiment yet"):
        cancel_job(settings, "1")
