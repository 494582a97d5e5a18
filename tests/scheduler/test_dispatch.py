"""Jobs on their way into the queue, with a queue that a list plays."""

from collections.abc import Callable

import pytest
from sqlalchemy import update

from loreley.core.jobs import JobKind, JobState
from loreley.db.engine import Database, now
from loreley.db.models import jobs
from loreley.db.schedule import Experiment, NewJob, Schedule
from loreley.errors import ServiceUnavailable
from loreley.scheduler.dispatch import Dispatch
from tests.db.support import claimed, job_row

ROOT = "a" * 40


@pytest.fixture
def schedule(database: Database) -> Schedule:
    schedule = Schedule(database)
    schedule.found(Experiment(ROOT, {}))
    return schedule


class Queue:
    """Takes messages, and refuses them while it is away."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.depth = 0
        self.room: int | None = None
        self.watch: Callable[[str], None] = lambda _job_id: None

    def send(self, job_id: str) -> None:
        if self.room == 0:
            raise ServiceUnavailable("the queue is away")
        self.room = self.room and self.room - 1
        self.watch(job_id)
        self.sent.append(job_id)

    def waiting(self) -> int:
        return self.depth


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def dispatch(schedule: Schedule, queue: Queue) -> Dispatch:
    return Dispatch(schedule, queue, max_attempts=2)


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


def test_the_job_of_a_silent_worker_is_sent_again(
    schedule: Schedule, dispatch: Dispatch, queue: Queue, database: Database
) -> None:
    [job_id] = create(schedule)
    dispatch.tick()
    claimed(database, job_id, lease_seconds=-1)

    assert dispatch.tick() == 1
    assert queue.sent == [job_id, job_id]


def test_a_job_that_loses_too_many_workers_is_given_up(
    schedule: Schedule, dispatch: Dispatch, queue: Queue, database: Database
) -> None:
    [job_id] = create(schedule)
    for _ in range(2):
        dispatch.tick()
        claimed(database, job_id, lease_seconds=-1)

    assert dispatch.tick() == 0
    assert job_row(database, job_id)["state"] == JobState.FAILED
    assert len(queue.sent) == 2


def test_leases_end_while_the_queue_is_away(
    schedule: Schedule, dispatch: Dispatch, queue: Queue, database: Database
) -> None:
    [job_id] = create(schedule)
    claimed(database, job_id, lease_seconds=-1)
    queue.room = 0

    with pytest.raises(ServiceUnavailable):
        dispatch.tick()

    assert job_row(database, job_id)["state"] == JobState.QUEUED


@pytest.mark.parametrize(
    ("seconds", "waiting", "sent_again"),
    [
        (3600, 0, True),  # the queue is empty and nobody came: its message is lost
        (3600, 1, False),  # it may be the one that waits
        (5, 0, False),  # a worker may just be about to claim it
    ],
)
def test_a_lost_message_is_sent_again(
    schedule: Schedule,
    dispatch: Dispatch,
    queue: Queue,
    database: Database,
    seconds: float,
    waiting: int,
    sent_again: bool,
) -> None:
    [job_id] = create(schedule)
    dispatch.tick()
    age(database, seconds)
    queue.depth = waiting

    assert dispatch.tick() == int(sent_again)
    assert queue.sent == [job_id] * (1 + sent_again)
    assert dispatch.tick() == 0


def test_the_queue_is_not_asked_while_every_job_is_heard(
    schedule: Schedule, database: Database
) -> None:
    class Unasked(Queue):
        def waiting(self) -> int:
            raise AssertionError

    dispatch = Dispatch(schedule, Unasked(), max_attempts=2)
    [job_id] = create(schedule)
    dispatch.tick()
    claimed(database, job_id)

    assert dispatch.tick() == 0
