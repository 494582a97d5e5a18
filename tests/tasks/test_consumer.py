"""Every message shape there can be in the queue: set aside, and the next one is worked on."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dramatiq
import pytest
from dramatiq.broker import MessageProxy
from dramatiq.errors import ConnectionClosed
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from loreley.config import Settings
from loreley.tasks.connection import redis_client
from loreley.tasks.consumer import JobBroker
from loreley.tasks.runtime import create_worker
from tests.services import redis_server, silent_server
from tests.support import eventually
from tests.system.proxy import Proxy

QUEUE = "loreley.evolution"
SOUND: dict[str, Any] = {
    "queue_name": QUEUE,
    "actor_name": "run",
    "args": [],
    "kwargs": {"job_id": "good"},
    "options": {"redis_message_id": "1"},
    "message_id": "1",
    "message_timestamp": 1,
}

UNREADABLE: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "no text": b"\xff\xfe",
    "no object": b"[]",
    "an empty object": b"{}",
    "too deep": b"[" * 100_000,
    "unknown fields": json.dumps(SOUND | {"extra": 1}).encode(),
    "arguments that are no list": json.dumps(SOUND | {"args": 5}).encode(),
    "keyword arguments that are no object": json.dumps(SOUND | {"kwargs": [1]}).encode(),
    "options that are no object": json.dumps(SOUND | {"options": []}).encode(),
    "no id of Redis'": json.dumps(SOUND | {"options": {}}).encode(),
    "an id that is not its own": json.dumps(
        SOUND | {"options": {"redis_message_id": "2"}}
    ).encode(),
    "an id that cannot be looked up": json.dumps(SOUND | {"message_id": []}).encode(),
    "an actor that cannot be looked up": json.dumps(SOUND | {"actor_name": {}}).encode(),
    "another queue": json.dumps(SOUND | {"queue_name": "elsewhere"}).encode(),
    "a time in the far future": json.dumps(
        SOUND | {"options": {"redis_message_id": "1", "eta": 10**15}}
    ).encode(),
    "a time that is none": json.dumps(
        SOUND | {"options": {"redis_message_id": "1", "eta": "soon"}}
    ).encode(),
}
UNWANTED: dict[str, bytes] = {
    "an unknown actor": json.dumps(SOUND | {"actor_name": "format_disk"}).encode(),
    "no argument": json.dumps(SOUND | {"kwargs": {}}).encode(),
    "an argument too many": json.dumps(SOUND | {"kwargs": {"job_id": "", "x": 1}}).encode(),
    "positional arguments": json.dumps(SOUND | {"args": [1, 2, 3]}).encode(),
}


@dataclass
class Desk:
    """A worker that is online, and what its actor was called with."""

    client: Redis
    broker: JobBroker
    send: Callable[[str], Any]
    calls: list[object] = field(default_factory=list)

    def put(self, data: bytes, *, redis_id: str = "1") -> None:
        self.client.hset(f"loreley:{QUEUE}.msgs", redis_id, data)
        self.client.rpush(f"loreley:{QUEUE}", redis_id)

    @property
    def dead(self) -> int:
        return int(self.client.zcard(f"loreley:{QUEUE}.XQ"))

    @property
    def left(self) -> int:
        """Messages that are neither dead nor done."""
        return int(self.client.hlen(f"loreley:{QUEUE}.msgs"))


@pytest.fixture
def desk(redis_url: str) -> Iterator[Desk]:
    client = redis_client(Settings(tasks_redis_url=redis_url))
    broker = JobBroker(client=client, namespace="loreley")  # type: ignore[no-untyped-call]
    calls: list[object] = []

    def run(job_id: object) -> None:
        calls.append(job_id)

    actor = dramatiq.actor(broker=broker, actor_name="run", queue_name=QUEUE, max_retries=0)(run)
    worker = create_worker(broker, QUEUE)
    worker.start()
    yield Desk(client, broker, actor.send, calls)
    worker.stop(timeout=2000)
    broker.close()


@pytest.mark.slow
@pytest.mark.parametrize("shape", [*UNREADABLE, *UNWANTED])
def test_a_message_that_is_none_of_ours_is_dead_and_the_next_is_done(
    desk: Desk, shape: str
) -> None:
    desk.put((UNREADABLE | UNWANTED)[shape])
    began = time.monotonic()
    desk.send("next")

    eventually(lambda: desk.calls)
    eventually(lambda: desk.left == 0)
    assert time.monotonic() - began < 2, "Dramatiq's consumer waits 3 s before it restarts"
    assert (desk.calls, desk.dead) == (["next"], 1)


def test_many_at_once_stop_nothing(desk: Desk) -> None:
    for number, data in enumerate([*UNREADABLE.values(), *UNWANTED.values()] * 3):
        desk.put(data, redis_id=str(number))
        if number % 5 == 0:
            desk.send(str(number))

    eventually(lambda: len(desk.calls) == 13)
    eventually(lambda: desk.left == 0)


@pytest.mark.slow
@pytest.mark.parametrize("job_id", [None, 5, [], {"a": 1}, "../../etc", "\0", "'; DROP TABLE"])
def test_any_argument_reaches_the_actor(desk: Desk, job_id: object) -> None:
    desk.put(json.dumps(SOUND | {"kwargs": {"job_id": job_id}}).encode())

    eventually(lambda: desk.calls == [job_id])
    eventually(lambda: desk.left == 0)


@pytest.mark.slow
def test_a_huge_message_is_a_message(desk: Desk) -> None:
    desk.put(json.dumps(SOUND | {"kwargs": {"job_id": "x" * 50_000_000}}).encode())
    desk.send("next")

    eventually(lambda: len(desk.calls) == 2)
    eventually(lambda: desk.left == 0)


def test_a_message_whose_content_was_evicted_is_skipped(desk: Desk) -> None:
    desk.client.rpush(f"loreley:{QUEUE}", "gone")
    desk.send("next")

    eventually(lambda: desk.calls == ["next"])


def test_silence_of_redis_is_an_outage_and_no_defect() -> None:
    with silent_server() as port:
        client = Redis(port=port, socket_timeout=0.1, retry=Retry(NoBackoff(), 0))
        broker = JobBroker(client=client, namespace="loreley")  # type: ignore[no-untyped-call]
        consumer = broker.consume(QUEUE)
        message = MessageProxy(dramatiq.Message(**SOUND))

        with pytest.raises(ConnectionClosed):
            next(consumer)
        for command in (consumer.ack, consumer.nack):
            with pytest.raises(ConnectionClosed):
                command(message)
        with pytest.raises(ConnectionClosed):
            consumer.requeue([message])


@pytest.mark.slow
def test_a_silence_at_the_acknowledgement_is_waited_out(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url, Proxy.to(url) as proxy:
        client = Redis(port=proxy.port, socket_timeout=0.5)
        broker = JobBroker(client=client, namespace="loreley")  # type: ignore[no-untyped-call]
        started, release = threading.Event(), threading.Event()

        def run(job_id: str) -> None:
            started.set()
            release.wait(20)

        actor = dramatiq.actor(broker=broker, actor_name="run", queue_name=QUEUE, max_retries=0)(
            run
        )
        worker = create_worker(broker, QUEUE)
        worker.start()
        actor.send("one")
        assert started.wait(5)
        with proxy.blackholed():
            release.set()
            time.sleep(1)
        eventually(lambda: not Redis.from_url(url).hlen(f"loreley:{QUEUE}.msgs"), within=15)
        worker.stop(timeout=2000)
