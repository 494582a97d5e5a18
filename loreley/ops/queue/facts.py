"""Reads what a queue server says of itself and of the queue; writes nothing."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from redis import Redis
from redis.exceptions import ResponseError

from loreley.config import QueueSettings

SEEN_SECONDS = 60  # after as long a silence Dramatiq takes a process for dead
_PINGS = 20
# Removes what lies between 1 and 0, so nothing; refused wherever a worker's script would be.
_WRITE_WITHOUT_EFFECT = "return redis.call('zremrangebyscore', KEYS[1], 1, 0)"


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """What was seen; None where this user may not look."""

    latency_ms: float  # median of several pings
    info: Mapping[str, Any] | None
    snapshots: str | None  # the `save` option; empty: none are made
    waiting: int | None
    delayed: int | None
    unacknowledged: int | None  # fetched by a process that has not finished them
    dead: int | None
    processes_seen: int | None
    refusal: str  # why a worker's script would be refused; empty: it would not
    forbidden: tuple[str, ...]  # what was not permitted to be read


@dataclass(slots=True)
class _Reader:
    client: Redis
    forbidden: list[str] = field(default_factory=list)
    misused: str = ""

    def read(self, what: str, ask: Callable[[], object]) -> Any:
        try:
            return ask()
        except ResponseError as error:
            if "WRONGTYPE" in str(error):
                self.misused = f"{what}: {error}"
            else:
                self.forbidden.append(what)
            return None


def read_redis_facts(client: Redis, settings: QueueSettings) -> RedisFacts:
    """Ask the server everything; raises `RedisError` or `OSError` when it stops answering."""
    reader = _Reader(client)
    prefix = f"{settings.tasks_redis_namespace}:"
    queue = prefix + settings.tasks_queue_name
    heartbeats = f"{prefix}__heartbeats__"
    return RedisFacts(
        latency_ms=_measure_latency_ms(client),
        info=reader.read("INFO", client.info),
        snapshots=reader.read("CONFIG GET save", lambda: _read_option(client, "save")),
        waiting=reader.read("waiting messages", lambda: client.llen(queue)),
        # Workers take delayed messages early and hold them: only the hash knows all of them.
        delayed=reader.read("delayed messages", lambda: client.hlen(f"{queue}.DQ.msgs")),
        unacknowledged=reader.read(
            "unacknowledged messages",
            lambda: _count_unacknowledged(client, heartbeats, prefix, settings.tasks_queue_name),
        ),
        dead=reader.read("dead letters", lambda: client.zcard(f"{queue}.XQ")),
        processes_seen=reader.read(
            "heartbeats",
            lambda: client.zcount(heartbeats, int((time.time() - SEEN_SECONDS) * 1000), "+inf"),
        ),
        refusal=reader.misused or _try_writing(client, heartbeats),
        forbidden=tuple(reader.forbidden),
    )


def _measure_latency_ms(client: Redis) -> float:
    seconds = []
    for _ in range(_PINGS):
        start = time.perf_counter()
        client.ping()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds) * 1000


def _read_option(client: Redis, name: str) -> str:
    options = cast(dict[str, str], client.config_get(name))
    return str(options.get(name, ""))


def _count_unacknowledged(client: Redis, heartbeats: str, prefix: str, queue: str) -> int:
    processes = cast(list[bytes], client.zrange(heartbeats, 0, -1))
    with client.pipeline(transaction=False) as pipeline:
        for process in processes:
            pipeline.scard(f"{prefix}__acks__.{process.decode()}.{queue}")
        return sum(pipeline.execute())


def _try_writing(client: Redis, key: str) -> str:
    try:
        client.eval(_WRITE_WITHOUT_EFFECT, 1, key)
    except ResponseError as error:
        return str(error).partition(" script: ")[0]
    return ""
