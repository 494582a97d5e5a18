import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker
from redis import Redis

from loreley.config import Settings
from loreley.ops.queue.facts import RedisFacts
from loreley.ops.queue.health import QueueHealth, examine, judge
from loreley.ops.queue.health_text import as_json, format_health

StartRedis = Callable[..., str]


def settings_for(url: str, **more: Any) -> Settings:
    return Settings(tasks_redis_url=url, **more)


def health_of(address: str, user: str = "") -> QueueHealth:
    return examine(settings_for(f"redis://{user}{address}"))


@pytest.fixture
def broker(start_redis: StartRedis) -> Iterator[RedisBroker]:
    url = f"redis://{start_redis('--appendonly', 'yes')}"
    broker = RedisBroker(url=url, namespace="loreley")  # type: ignore[no-untyped-call]
    broker.declare_queue("loreley.evolution")
    yield broker
    broker.close()


def message(number: int) -> dramatiq.Message[Any]:
    return dramatiq.Message(
        queue_name="loreley.evolution",
        actor_name="run_evolution_job",
        args=(str(number),),
        kwargs={},
        options={},
    )


def address_of(broker: RedisBroker) -> str:
    return f"127.0.0.1:{broker.client.connection_pool.connection_kwargs['port']}"


def test_an_idle_server_with_a_log_is_fit_for_work(start_redis: StartRedis) -> None:
    health = health_of(start_redis("--appendonly", "yes"))

    assert health.lets_workers_work
    assert health.server is not None
    assert health.server.startswith("Redis ")
    assert health.latency_ms is not None
    assert 0 < health.latency_ms < 1000
    assert health.memory_policy == "noeviction"
    assert health.persistence == "append-only file"
    assert (health.waiting, health.delayed, health.unacknowledged, health.dead) == (0, 0, 0, 0)
    assert health.processes_seen == 0
    assert health.warnings == health.forbidden == ()


def test_every_message_is_counted_where_it_is(broker: RedisBroker) -> None:
    for number in range(5):
        broker.enqueue(message(number))
    broker.enqueue(message(5), delay=60_000)
    consumer = broker.consume("loreley.evolution", prefetch=2)
    taken = next(consumer)
    assert taken is not None
    consumer.nack(taken)

    health = health_of(address_of(broker))

    assert (health.waiting, health.delayed, health.unacknowledged, health.dead) == (3, 1, 1, 1)
    assert health.processes_seen == 1
    assert "1 dead letters" in " ".join(health.warnings)
    assert health.lets_workers_work


def test_examining_leaves_no_trace(broker: RedisBroker) -> None:
    broker.enqueue(message(1))
    before = {key: broker.client.dump(key) for key in broker.client.keys("*")}

    health_of(address_of(broker))

    assert {key: broker.client.dump(key) for key in broker.client.keys("*")} == before


def test_a_process_that_was_silent_for_long_is_not_counted(broker: RedisBroker) -> None:
    broker.enqueue(message(1))
    broker.client.zadd("loreley:__heartbeats__", {broker.broker_id: 1_000})

    health = health_of(address_of(broker))

    assert health.processes_seen == 0
    assert any("invoke worker" in warning for warning in health.warnings)


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random"])
def test_a_policy_that_evicts_messages_is_a_problem(start_redis: StartRedis, policy: str) -> None:
    health = health_of(start_redis("--maxmemory", "100mb", "--maxmemory-policy", policy))

    [problem] = health.problems
    assert policy in problem.reason
    assert "noeviction" in problem.fix


def test_a_policy_that_spares_messages_is_a_warning(start_redis: StartRedis) -> None:
    health = health_of(start_redis("--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru"))

    assert health.lets_workers_work
    assert any("volatile-lru" in warning for warning in health.warnings)


def test_a_full_server_is_a_problem(start_redis: StartRedis) -> None:
    health = health_of(start_redis("--maxmemory", "100kb"))

    assert "full" in health.problems[0].what


def test_no_persistence_is_a_warning(start_redis: StartRedis) -> None:
    health = health_of(start_redis())

    assert health.persistence == "none"
    assert health.lets_workers_work
    assert any("loses the queue" in warning for warning in health.warnings)


def test_snapshots_are_reported(start_redis: StartRedis) -> None:
    health = health_of(start_redis("--save", "60 100"))

    assert health.persistence == "snapshots (60 100)"
    assert health.warnings == ()


def test_a_server_that_is_down_is_a_problem() -> None:
    health = health_of("127.0.0.1:1")

    assert not health.lets_workers_work
    assert "refused" in health.problems[0].reason
    assert format_health(health) == "redis://127.0.0.1:1: no answer"


def test_a_wrong_password_is_a_problem_that_does_not_repeat_it(start_redis: StartRedis) -> None:
    address = start_redis("--requirepass", "right")

    health = health_of(address, ":wr0ng@")

    assert "password" in health.problems[0].fix
    assert "wr0ng" not in str(health.to_mapping()) + format_health(health)
    assert health_of(address, ":right@").lets_workers_work


def test_a_user_that_may_not_look_sees_what_it_may(start_redis: StartRedis) -> None:
    address = start_redis()
    rights = ["+@all", "-@admin", "-@dangerous"]
    with Redis.from_url(f"redis://{address}") as client:
        may = {"categories": rights, "commands": ["+keys"]}
        client.acl_setuser("worker", True, passwords="+secret", keys=["*"], **may)

    health = health_of(address, "worker:secret@")

    assert health.lets_workers_work
    assert health.forbidden == ("INFO", "CONFIG GET save")
    assert (health.server, health.memory_policy, health.persistence) == (None, None, None)
    assert health.waiting == 0
    assert format_health(health).count("not permitted to read") == 4


def test_a_user_that_may_only_read_could_not_work(start_redis: StartRedis) -> None:
    address = start_redis()
    rights = ["+@read", "+@connection"]
    with Redis.from_url(f"redis://{address}") as client:
        client.acl_setuser("reader", True, passwords="+secret", keys=["*"], categories=rights)

    health = health_of(address, "reader:secret@")

    [problem] = health.problems
    assert "permission" in problem.reason
    assert "scripts" in problem.fix


def test_a_replica_could_not_work(start_redis: StartRedis) -> None:
    address = start_redis("--replicaof", "127.0.0.1", "1", "--replica-serve-stale-data", "yes")

    assert "primary" in health_of(address).problems[0].fix


def test_keys_of_something_else_are_a_problem(start_redis: StartRedis) -> None:
    address = start_redis()
    Redis.from_url(f"redis://{address}").set("loreley:loreley.evolution", "mine")

    [problem] = health_of(address).problems

    assert "TASKS_REDIS_NAMESPACE" in problem.fix


def test_the_mapping_is_json(start_redis: StartRedis) -> None:
    health = health_of(start_redis("--maxmemory-policy", "allkeys-lru"))

    mapping = json.loads(as_json(health))

    assert mapping["lets_workers_work"] is False
    assert mapping["problems"][0]["what"] == "Redis may throw messages away"


def test_a_cluster_is_a_problem() -> None:
    facts = RedisFacts(0.1, {"cluster_enabled": 1, "aof_enabled": 1}, "", 0, 0, 0, 0, 0, "", ())
    settings = settings_for("redis://localhost")

    assert "clustered" in judge(settings, facts).problems[0].fix
    assert judge(settings, replace(facts, info={"aof_enabled": 1})).lets_workers_work
