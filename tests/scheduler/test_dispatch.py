"""Jobs on their way into the queue, with a queue that a list plays."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from loreley.core.jobs import JobKind, JobState
from loreley.db.engine import Database, now, open_database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.models import jobs
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import ServiceUnavailable
from loreley.scheduler.dispatch import Dispatch
from tests.db.support import claimed, job_row
from tests.support import eventually

ROOT = "a" * 40


@pytest.fixture
def schedule(database: Database) -> Schedule:
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(ROOT, {}))
    return schedule


class Queue:
    """Takes messages, and refuses them while it is away."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.first: list[str] = []
        self.taken: set[str] = set()
        self.room: int | None = None
        self.watch: Callable[[str], None] = lambda _job_id: None

    def send(self, job_id: str, *, first: bool = False) -> None:
        if self.room == 0:
            raise ServiceUnavailable("the queue is away")
        self.room = self.room and self.room - 1
        self.watch(job_id)
        self.sent.append(job_id)
        if first:
            self.first.append(job_id)

    def waiting(self) -> set[str]:
        return set(self.sent) - self.taken


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dispatch(schedule: Schedule, queue: Queue, clock: Clock) -> Dispatch:
    return Dispatch(schedule, queue, max_attempts=2, clock=clock)


def create(schedule: Schedule, count: int = 1) -> list[str]:
    return [
        schedule.create(NewJob(JobKind.EVOLUTION, ordinal, 7, ROOT)) for ordinal in range(count)
    ]


def age(database: Database, seconds: float) -> None:
    """Let everything that was sent have been sent so long ago."""
    with database.begin() as connection:
        connection.execute(update(jobs).values(dispatched_at=now() - seconds))


def test_each_new_job_is_sent_once(schedule: Schedule, dispatch: Dispatch, queue: Queue) -> None:
    job_ids = create(schedule, 3)

    assert [dispatch.tick(), dispatch.tick()] == [3, 0]
    assert queue.sent == job_ids


def test_a_job_that_came_back_goes_before_those_that_nobody_had(
    schedule: Schedule, dispatch: Dispatch, queue: Queue, database: Database
) -> None:
    returned, *_ = create(schedule, 3)
    dispatch.tick()
    held = Jobs(database).claim(returned, worker="host:1", lease_seconds=30)
    assert queue.first == []

    Jobs(database).release(held)
    dispatch.tick()

    assert queue.first == [returned]


def test_a_job_is_queued_before_its_message_exists(
    schedule: Schedule, dispatch: Dispatch, queue: Queue, database: Database
) -> None:
    """A worker is quicker than the scheduler; and after a crash in between it is sent again."""
    create(schedule)
    states: list[str] = []
    queue.watch = lambda job_id: states.append(job_row(database, job_id)["state"])

    dispatch.tick()

    assert states == [JobState.QUEUED]


def test_while_the_queue_is_away_nothing_is_forgotten(
    schedule: Schedule, dispatch: Dispatch, queue: Queue
) -> None:
    job_ids = create(schedule, 3)
    queue.room = 1
    with pytest.raises(ServiceUnavailable):
        dispatch.tick()

    queue.room = None
    dispatch.tick()

    assert set(queue.sent) == set(job_ids)


def test_messages_that_were_sent_before_the_queue_went_away_are_not_sent_again(
    schedule: Schedule, dispatch: Dispatch, queue: Queue
) -> None:
    job_ids = create(schedule, 3)
    queue.room = 2
    with pytest.raises(ServiceUnavailable):
        dispatch.tick()

    queue.room = None
    dispatch.tick()

    assert sorted(queue.sent) == sorted(job_ids)


def test_the_job_of_a_silent_worker_is_sent_again(
    schedule: Schedule, dispatch: Dispatch, queue: Queue, clock: Clock, database: Database
) -> None:
    [job_id] = create(schedule)
    dispatch.tick()
    claimed(database, job_id, lease_seconds=-1)
    assert dispatch.tick() == 0
    clock.seconds += 5

    assert dispatch.tick() == 1
    assert queue.sent == [job_id, job_id]


def test_a_worker_that_an_outage_kept_silent_keeps_its_job(
    schedule: Schedule, dispatch: Dispatch, clock: Clock, database: Database
) -> None:
    [job_id] = create(schedule)
    claim = claimed(database, job_id, lease_seconds=-1)
    dispatch.tick()
    clock.seconds += 4
    dispatch.tick()
    Jobs(database).renew(claim, lease_seconds=30)
    clock.seconds += 4

    dispatch.tick()

    assert job_row(database, job_id)["state"] == JobState.RUNNING


def test_a_clock_that_is_set_back_keeps_no_dead_worker_s_job(
    schedule: Schedule, dispatch: Dispatch, queue: Queue, clock: Clock, database: Database
) -> None:
    """Row 33: all that was written before then lies an hour ahead."""
    [job_id] = create(schedule)
    dispatch.tick()
    claimed(database, job_id, lease_seconds=0.05)
    with database.begin() as connection:
        ahead = {"lease_until": jobs.c.lease_until + 3600, "renewed_at": jobs.c.renewed_at + 3600}
        connection.execute(update(jobs).values(**ahead))
    assert dispatch.tick() == 0

    eventually(schedule.find_expired_leases)
    dispatch.tick()
    clock.seconds += 5

    assert dispatch.tick() == 1
    assert queue.sent == [job_id, job_id]


def test_a_clock_that_is_set_back_costs_no_living_worker_its_job(
    schedule: Schedule, dispatch: Dispatch, clock: Clock, database: Database
) -> None:
    [job_id] = create(schedule)
    claim = claimed(database, job_id, lease_seconds=1200)
    with database.begin() as connection:
        ahead = {"lease_until": jobs.c.lease_until + 3600, "renewed_at": jobs.c.renewed_at + 3600}
        connection.execute(update(jobs).values(**ahead))
    for _ in range(3):
        dispatch.tick()
        clock.seconds += 5

    row = job_row(database, job_id)
    assert row["state"] == JobState.RUNNING
    assert row["lease_until"] - row["renewed_at"] == pytest.approx(1200, abs=0.01)
    assert abs(row["renewed_at"] - time.time()) < 60
    Jobs(database).renew(claim, lease_seconds=1200)


def test_an_outage_of_the_database_gives_workers_another_moment(
    clock: Clock, queue: Queue, tmp_path: Path
) -> None:
    path = tmp_path / "own.db"
    database = open_database(f"sqlite:///{path}?timeout=0.05")
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(ROOT, {}))
    [job_id] = create(schedule)
    claimed(database, job_id, lease_seconds=-1)
    dispatch = Dispatch(schedule, queue, max_attempts=2, clock=clock)
    dispatch.tick()
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        clock.seconds += 4
        with pytest.raises(ServiceUnavailable):
            dispatch.tick()
        other.execute("ROLLBACK")

    clock.seconds += 4
    assert dispatch.tick() == 0
    clock.seconds += 5
    assert dispatch.tick() == 1
    database.close()


def test_a_job_that_loses_too_many_workers_is_given_up(
    schedule: Schedule, dispatch: Dispatch, queue: Queue, clock: Clock, database: Database
) -> None:
    [job_id] = create(schedule)
    for _ in range(2):
        dispatch.tick()
        claimed(database, job_id, lease_seconds=-1)
        dispatch.tick()
        clock.seconds += 5

    assert dispatch.tick() == 0
    assert job_row(database, job_id)["state"] == JobState.FAILED
    assert len(queue.sent) == 2


def test_leases_end_while_the_queue_is_away(
    schedule: Schedule, dispatch: Dispatch, queue: Queue, clock: Clock, database: Database
) -> None:
    [job_id] = create(schedule)
    claimed(database, job_id, lease_seconds=-1)
    queue.room = 0
    dispatch.tick()
    clock.seconds += 5

    with pytest.raises(ServiceUnavailable):
        dispatch.tick()

    assert job_row(database, job_id)["state"] == JobState.QUEUED


@pytest.mark.parametrize(
    ("seconds", "taken", "sent_again"),
    [
        (3600, True, True),  # nobody has claimed it: its message is lost
        (3600, False, False),  # it is there, behind others
        (5, True, False),  # a worker may just be about to claim it
    ],
)
def test_a_lost_message_is_sent_again_however_many_others_wait(
    schedule: Schedule,
    dispatch: Dispatch,
    queue: Queue,
    database: Database,
    seconds: float,
    taken: bool,
    sent_again: bool,
) -> None:
    job_id, *others = create(schedule, 3)
    dispatch.tick()
    age(database, seconds)
    queue.taken = {job_id} if taken else set()

    assert dispatch.tick() == int(sent_again)
    assert queue.sent == [job_id, *others] + [job_id] * sent_again
    assert dispatch.tick() == 0


def test_the_queue_is_not_asked_while_every_job_is_heard(
    schedule: Schedule, database: Database
) -> None:
    class Unasked(Queue):
        def waiting(self) -> set[str]:
            raise AssertionError

    dispatch = Dispatch(schedule, Unasked(), max_attempts=2)
    [job_id] = create(schedule)
    dispatch.tick()
    claimed(database, job_id)

    assert dispatch.tick() == 0
