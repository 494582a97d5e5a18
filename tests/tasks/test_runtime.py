"""The life of a worker process around Dramatiq's worker, on a real Redis."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker
from redis import Redis

from loreley.config import Settings
from loreley.entry import ExitCode
from loreley.signals import StopSignals
from loreley.tasks.connection import redis_client
from loreley.tasks.runtime import create_worker, online, serve
from tests.services import redis_server
from tests.support import eventually

QUEUE = "loreley.evolution"


@dataclass
class Job:
    """What one message makes the worker do, under the test's control."""

    started: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    ended: list[str] = field(default_factory=list)
    interrupts: list[float] = field(default_factory=list)
    is_busy: bool = False

    def run(self, name: str) -> None:
        self.is_busy = True
        self.started.set()
        self.release.wait(30)
        self.ended.append(name)
        self.is_busy = False

    def interrupt(self) -> None:
        self.interrupts.append(time.monotonic())
        self.release.set()


@dataclass
class Office:
    """A worker that is online, and what its messages do."""

    broker: RedisBroker
    send: Callable[[str], Any]
    job: Job
    signals: StopSignals

    @property
    def waiting(self) -> int:
        client: Redis = self.broker.client
        return int(client.llen(f"loreley:{QUEUE}"))

    def serve(self, *, grace_seconds: float, interrupt: Callable[[], None] | None = None) -> "End":
        began = time.monotonic()
        code = serve(
            self.worker,
            self.signals,
            grace_seconds=grace_seconds,
            is_busy=lambda: self.job.is_busy,
            interrupt=interrupt or self.job.interrupt,
        )
        return End(code, time.monotonic() - began)

    worker: Any = None


@dataclass
class End:
    code: ExitCode
    seconds: float


@pytest.fixture
def office(redis_url: str) -> Iterator[Office]:
    with opened(redis_url) as one:
        yield one


class opened:  # noqa: N801 - reads as the context it is
    """An office on the Redis at ``url``."""

    def __init__(self, url: str) -> None:
        client = redis_client(Settings(tasks_redis_url=url))
        self.broker = RedisBroker(client=client, namespace="loreley")  # type: ignore[no-untyped-call]
        self.job = Job()
        actor = dramatiq.actor(
            broker=self.broker, actor_name="run", queue_name=QUEUE, max_retries=0
        )(self.job.run)
        self.worker = create_worker(self.broker, QUEUE)
        self.signals = StopSignals()
        self.online = online(self.worker, self.broker, QUEUE)
        self.office = Office(self.broker, actor.send, self.job, self.signals, self.worker)

    def __enter__(self) -> Office:
        self.signals.__enter__()
        self.online.__enter__()
        return self.office

    def __exit__(self, *_error: object) -> None:
        self.job.release.set()
        self.online.__exit__(None, None, None)
        self.signals.__exit__(None, None, None)
        self.broker.close()


def ask(number: signal.Signals = signal.SIGTERM) -> None:
    os.kill(os.getpid(), number)


def later(seconds: float, *, times: int = 1) -> None:
    for one in range(times):
        threading.Timer(seconds * (one + 1), ask).start()


def test_an_idle_worker_stops_at_once(office: Office) -> None:
    ask()

    end = office.serve(grace_seconds=30)

    assert end.code is ExitCode.STOPPED
    assert end.seconds <= 2.5
    assert office.job.interrupts == []


def test_a_worker_blocks_until_it_is_asked(office: Office) -> None:
    later(0.3)

    assert 0.3 <= office.serve(grace_seconds=30).seconds <= 2.8


def test_a_message_is_taken_within_a_moment(office: Office) -> None:
    office.send("one")

    assert office.job.started.wait(2)


def test_the_next_message_is_left_for_others_while_one_runs(office: Office) -> None:
    office.send("one")
    assert office.job.started.wait(5)
    office.send("two")
    office.send("three")

    time.sleep(0.3)  # longer than the worker's own look at the queue
    assert office.waiting == 2


def test_a_running_job_may_finish_within_the_grace_period(office: Office) -> None:
    office.send("one")
    assert office.job.started.wait(5)
    ask()
    threading.Timer(0.3, office.job.release.set).start()

    end = office.serve(grace_seconds=30)

    assert end.code is ExitCode.STOPPED
    assert end.seconds < 3
    assert (office.job.ended, office.job.interrupts) == (["one"], [])


def test_after_the_grace_period_a_job_is_interrupted(office: Office) -> None:
    office.send("one")
    assert office.job.started.wait(5)
    ask()

    end = office.serve(grace_seconds=0.3)

    assert end.code is ExitCode.STOPPED
    assert 0.3 <= end.seconds < 3
    assert (office.job.ended, len(office.job.interrupts)) == (["one"], 1)


def test_a_second_signal_interrupts_at_once(office: Office) -> None:
    office.send("one")
    assert office.job.started.wait(5)
    later(0.1, times=2)

    end = office.serve(grace_seconds=30)

    assert end.code is ExitCode.INTERRUPTED
    assert end.seconds < 3
    assert len(office.job.interrupts) == 1


def test_further_signals_change_nothing(office: Office) -> None:
    office.send("one")
    assert office.job.started.wait(5)
    for _ in range(5):
        ask()

    end = office.serve(grace_seconds=30)

    assert end.code is ExitCode.INTERRUPTED
    assert len(office.job.interrupts) == 1


def test_messages_nobody_has_taken_are_still_there_after_a_stop(office: Office) -> None:
    office.send("one")
    assert office.job.started.wait(5)
    office.send("two")
    ask()
    threading.Timer(0.1, office.job.release.set).start()

    office.serve(grace_seconds=30)

    assert (office.job.ended, office.waiting) == (["one"], 1)


@pytest.mark.slow
def test_a_job_that_ignores_its_interrupt_does_not_hold_the_process_up(office: Office) -> None:
    office.send("one")
    assert office.job.started.wait(5)
    ask()

    end = office.serve(grace_seconds=0.1, interrupt=lambda: None)

    assert end.code is ExitCode.STOPPED
    assert end.seconds < 5
    assert office.job.ended == []


def test_time_limits_of_dramatiq_are_in_force(office: Office) -> None:
    booted: list[str] = []

    class Watch(dramatiq.Middleware):
        def after_process_boot(self, broker: dramatiq.Broker) -> None:
            booted.append("yes")

    with opened_like(office, Watch()):
        assert booted == ["yes"]


def opened_like(office: Office, middleware: dramatiq.Middleware) -> Any:
    office.broker.add_middleware(middleware)
    return online(create_worker(office.broker, QUEUE), office.broker, QUEUE)


@pytest.mark.slow
def test_an_idle_worker_stops_while_redis_is_away(tmp_path: Path) -> None:
    server = redis_server(tmp_path)
    with opened(server.__enter__()) as office:
        eventually(lambda: office.broker.client.exists("loreley:__heartbeats__"))
        server.__exit__(None, None, None)
        later(0.3)

        end = office.serve(grace_seconds=30)

    assert end.code is ExitCode.STOPPED
    assert end.seconds <= 5
