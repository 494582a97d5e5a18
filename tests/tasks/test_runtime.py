"""The life of a worker process around Dramatiq's worker, on a real Redis."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker
from redis import Redis

from loreley.config import Settings
from loreley.entry import ExitCode
from loreley.errors import WorkerUnfit
from loreley.host.signals import StopSignals
from loreley.tasks.connection import redis_client
from loreley.tasks.runtime import create_worker, keep_online, serve
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
    flaw: WorkerUnfit | None = None
    is_draining: bool = False

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
class End:
    """How `serve` came back."""

    code: ExitCode
    seconds: float


@dataclass
class Office:
    """A worker that is online, and what its messages do."""

    broker: RedisBroker
    worker: dramatiq.Worker
    send: Callable[[str], Any]
    job: Job
    signals: StopSignals
    timers: list[threading.Timer] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        client: Redis = self.broker.client
        return int(client.llen(f"loreley:{QUEUE}"))

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        self.timers.append(threading.Timer(seconds, action))
        self.timers[-1].start()

    def serve(self, *, grace_seconds: float, interrupt: Callable[[], None] | None = None) -> End:
        began = time.monotonic()
        code = serve(
            self.worker,
            self.signals,
            grace_seconds=grace_seconds,
            is_busy=lambda: self.job.is_busy,
            interrupt=interrupt or self.job.interrupt,
            find_flaw=lambda: self.job.flaw,
            is_draining=lambda: self.job.is_draining,
        )
        return End(code, time.monotonic() - began)

    def close(self) -> None:
        """Leave no thread behind: Dramatiq's would go on asking a Redis that is gone."""
        for timer in self.timers:
            timer.cancel()
        self.job.release.set()
        self.worker.stop(timeout=5000)
        threads = [*self.worker.workers, *self.worker.consumers.values()]
        eventually(lambda: not any(thread.is_alive() for thread in threads), within=45)
        self.broker.close()


@contextmanager
def opened(url: str, *middleware: dramatiq.Middleware) -> Iterator[Office]:
    """An office on the Redis at ``url``."""
    client = redis_client(Settings(tasks_redis_url=url))
    broker = RedisBroker(client=client, namespace="loreley")  # type: ignore[no-untyped-call]
    for one in middleware:
        broker.add_middleware(one)
    job = Job()
    actor = dramatiq.actor(broker=broker, actor_name="run", queue_name=QUEUE, max_retries=0)
    worker = create_worker(broker, QUEUE)
    with StopSignals() as signals:
        office = Office(broker, worker, actor(job.run).send, job, signals)
        try:
            with keep_online(worker, broker, QUEUE):
                yield office
        finally:
            office.close()


@pytest.fixture
def office(redis_url: str) -> Iterator[Office]:
    with opened(redis_url) as one:
        yield one


def ask(number: signal.Signals = signal.SIGTERM) -> None:
    os.kill(os.getpid(), number)


def test_an_idle_worker_stops_at_once(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    ask()

    end = office.serve(grace_seconds=30)

    assert end.code is ExitCode.STOPPED
    assert "running job" not in capsys.readouterr().err
    assert end.seconds <= 2.5
    assert office.job.interrupts == []


@pytest.mark.slow
def test_a_worker_blocks_until_it_is_asked(office: Office) -> None:
    office.later(0.3, ask)

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


def test_a_drained_worker_ends_after_its_job_however_long_that_takes(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.send("one")
    assert office.job.started.wait(5)
    office.send("two")
    office.job.is_draining = True
    office.later(0.6, office.job.release.set)

    end = office.serve(grace_seconds=0.1)

    assert (end.code, office.job.ended, office.job.interrupts) == (ExitCode.STOPPED, ["one"], [])
    assert end.seconds >= 0.6
    assert office.waiting == 1
    assert "drained; the running job goes on to its end" in capsys.readouterr().err


def test_a_drained_worker_that_is_asked_to_stop_keeps_to_the_grace_period(office: Office) -> None:
    office.send("one")
    assert office.job.started.wait(5)
    office.job.is_draining = True
    office.later(0.3, ask)

    end = office.serve(grace_seconds=0.2)

    assert end.code is ExitCode.STOPPED
    assert len(office.job.interrupts) == 1
    assert 0.5 <= end.seconds < 5


def test_a_running_job_may_finish_within_the_grace_period(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.send("one")
    assert office.job.started.wait(5)
    ask()
    office.later(0.3, office.job.release.set)

    end = office.serve(grace_seconds=30)

    assert end.code is ExitCode.STOPPED
    assert "the running job has 30 s to finish" in capsys.readouterr().err
    assert end.seconds < 3
    assert (office.job.ended, office.job.interrupts) == (["one"], [])


@pytest.mark.slow
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
    office.later(0.1, ask)
    office.later(0.2, ask)

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
    office.later(0.1, office.job.release.set)

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


def test_an_unfit_worker_stops_without_a_signal_and_says_why(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.job.flaw = WorkerUnfit("the evaluator was changed")

    with pytest.raises(WorkerUnfit, match="the evaluator was changed"):
        office.serve(grace_seconds=30)

    assert "worker: stopped" in capsys.readouterr().err
    assert not any(thread.is_alive() for thread in office.worker.workers)


def test_time_limits_of_dramatiq_are_in_force(redis_url: str) -> None:
    booted: list[bool] = []

    class Watch(dramatiq.Middleware):
        def after_process_boot(self, broker: dramatiq.Broker) -> None:
            booted.append(True)

    with opened(redis_url, Watch()):
        assert booted == [True]


@pytest.mark.slow
def test_an_idle_worker_stops_while_redis_is_away(tmp_path: Path) -> None:
    with ExitStack() as later, ExitStack() as now:
        url = now.enter_context(redis_server(tmp_path))
        with opened(url) as office:
            eventually(lambda: office.broker.client.exists("loreley:__heartbeats__"))
            now.close()
            office.later(0.3, ask)

            end = office.serve(grace_seconds=30)
            # So that the threads, which a process would take with it, find their end here.
            later.enter_context(redis_server(tmp_path, port=urlsplit(url).port))

    assert end.code is ExitCode.STOPPED
    assert end.seconds <= 5
