"""The table of workers, on SQLite and on PostgreSQL."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from loreley.core.jobs import JobKind
from loreley.db.engine import Database, now
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.models import workers
from loreley.db.schedule import NewJob, Schedule
from loreley.db.workers import (
    SeenWorker,
    WorkerProcess,
    count_online,
    drain,
    find_namesakes,
    is_draining,
    note_leaving,
    note_presence,
    read_workers,
    register,
)

ONE = WorkerProcess("1" * 36, "one:1", "one", "boot-1", "0.1.0", "bubblewrap")
TWO = replace(ONE, id="2" * 36, name="two:1", host="two", boot="boot-2")


@pytest.fixture
def fleet(database: Database) -> Database:
    """Two workers on two hosts."""
    with database.begin() as connection:
        for worker in (TWO, ONE):
            register(connection, worker)
    return database


def seen(database: Database) -> list[SeenWorker]:
    with database.read() as connection:
        return read_workers(connection)


def age(database: Database, worker: WorkerProcess, seconds: float) -> None:
    with database.begin() as connection:
        moved = update(workers).where(workers.c.id == worker.id)
        connection.execute(moved.values(seen_at=now() - seconds))


def test_those_online_are_listed_with_the_job_that_each_has(fleet: Database) -> None:
    schedule = Schedule(fleet)
    schedule.begin_experiment(Experiment("a" * 40, {}))
    job_id = schedule.create(NewJob(JobKind.EVOLUTION, 7, 1, "a" * 40))
    schedule.queue_pending()
    Jobs(fleet).claim(job_id, worker="two:1", lease_seconds=30)

    one, two = seen(fleet)

    assert (one.name, one.job, one.is_online, one.drains) == ("one:1", None, True, False)
    assert (two.name, two.job) == ("two:1", 7)
    assert two.job_seconds is not None
    assert 0 <= two.job_seconds < 10
    assert (one.version, one.sandbox, one.host) == ("0.1.0", "bubblewrap", "one")


def test_a_worker_that_left_or_fell_silent_is_not_online(fleet: Database) -> None:
    age(fleet, ONE, 30)
    with fleet.begin() as connection:
        note_leaving(connection, TWO.id)
        assert count_online(connection) == 0

    one, two = seen(fleet)

    assert (one.is_online, one.left) == (False, None)
    assert one.silent > 20
    assert two.left is not None
    with fleet.begin() as connection:  # it was frozen, and goes on
        note_presence(connection, ONE.id, "Redis was away")
        assert count_online(connection) == 1
    assert seen(fleet)[0].last_word == "Redis was away"


@pytest.mark.parametrize(
    ("target", "names"),
    [("one", ["one:1"]), ("two:1", ["two:1"]), ("2" * 8, ["two:1"]), ("three", []), ("2", []),
     ("", []), ("%", [])],
)  # fmt: skip
def test_a_host_or_a_worker_is_drained_and_no_other(
    fleet: Database, target: str, names: list[str]
) -> None:
    with fleet.begin() as connection:
        assert drain(connection, target) == names
    with fleet.read() as connection:
        drained = [each.name for each in (ONE, TWO) if is_draining(connection, each.id)]
        assert drained == names
        assert count_online(connection) == 2 - len(names)


def test_a_dead_worker_is_not_asked(fleet: Database) -> None:
    age(fleet, ONE, 30)

    with fleet.begin() as connection:
        assert drain(connection, "one") == []


def test_another_machine_of_the_same_name_is_found(fleet: Database) -> None:
    with fleet.read() as connection:
        assert find_namesakes(connection, replace(ONE, boot="another")) == ["one:1"]
        assert find_namesakes(connection, ONE) == []


def test_workers_that_went_long_ago_are_forgotten(fleet: Database) -> None:
    age(fleet, ONE, 100_000)

    with fleet.begin() as connection:
        register(connection, replace(ONE, id="3" * 36, name="one:2"))

    assert [each.name for each in seen(fleet)] == ["one:2", "two:1"]
