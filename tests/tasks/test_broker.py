"""The broker and the actor as they come out of a process's settings."""

import importlib
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import dramatiq
import pytest
from loguru import logger
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from loreley.config import get_settings
from loreley.errors import ConfigError, ServiceUnavailable
from loreley.logs import configure_logging, report_failure
from tests.services import free_port, redis_server

SECRET = "hunter2"
JOB_ID = "00000000-0000-0000-0000-000000000000"
MODULES = ("loreley.tasks.broker", "loreley.tasks.workers", "loreley.tasks.queue")

Import = Callable[..., dict[str, ModuleType]]


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch) -> Iterator[Import]:
    """Imports the modules as a process with these settings does at its start."""
    before = {name: sys.modules.pop(name, None) for name in MODULES}
    global_broker = dramatiq.broker.global_broker

    def load(**settings: str) -> dict[str, ModuleType]:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()
        return {name.rpartition(".")[2]: importlib.import_module(name) for name in MODULES}

    yield load
    for name, module in before.items():
        sys.modules.pop(name, None)
        if module is not None:
            sys.modules[name] = module
    dramatiq.broker.global_broker = global_broker


def connection(modules: dict[str, ModuleType]) -> dict[str, Any]:
    arguments: dict[str, Any] = modules["broker"].broker.client.connection_pool.connection_kwargs
    return {name: arguments.get(name) for name in ("host", "port", "db", "password")}


def test_without_settings_the_documented_defaults_hold(imported: Import) -> None:
    modules = imported()

    broker, actor = modules["broker"].broker, modules["workers"].run_evolution_job
    assert connection(modules) == {"host": "localhost", "port": 6379, "db": 0, "password": None}
    assert broker.namespace == "loreley"
    assert (actor.actor_name, actor.queue_name) == ("run_evolution_job", "loreley.evolution")
    assert actor.options == {"max_retries": 0, "time_limit": 3_600_000}
    assert actor.message(JOB_ID).args == (JOB_ID,)
    assert dramatiq.get_broker() is broker is actor.broker


def test_every_part_comes_from_its_setting(imported: Import) -> None:
    """Nobody listens there: that importing connects to nothing is shown on the way."""
    port = free_port()

    modules = imported(
        TASKS_REDIS_URL=f"redis://user:{SECRET}@127.0.0.1:{port}/3",
        TASKS_REDIS_NAMESPACE="mine",
        TASKS_QUEUE_NAME="my.queue",
        TASKS_WORKER_MAX_RETRIES="2",
        TASKS_WORKER_TIME_LIMIT_SECONDS="1.5",
    )

    actor = modules["workers"].run_evolution_job
    assert connection(modules) == {"host": "127.0.0.1", "port": port, "db": 3, "password": SECRET}
    assert (modules["broker"].broker.namespace, actor.queue_name) == ("mine", "my.queue")
    assert actor.options == {"max_retries": 2, "time_limit": 1500}


@pytest.mark.parametrize("limit", ["0", "-1"])
def test_no_time_limit_is_written_as_zero_or_less(imported: Import, limit: str) -> None:
    actor = imported(TASKS_WORKER_TIME_LIMIT_SECONDS=limit)["workers"].run_evolution_job

    assert actor.options["time_limit"] == float("inf")


def test_a_cut_of_the_network_and_a_dead_worker_are_provided_for(imported: Import) -> None:
    broker = imported()["broker"].broker

    arguments = broker.client.connection_pool.connection_kwargs
    assert arguments["retry"].get_retries() >= 10
    assert 0 < arguments["socket_timeout"] <= 30
    assert broker.maintenance_chance == 1_000_000
    assert broker.heartbeat_timeout <= 60_000


def test_a_bad_setting_fails_the_import_with_a_message(imported: Import) -> None:
    with pytest.raises(ConfigError) as raised:
        imported(TASKS_REDIS_URL=f"redis://:{SECRET}@host:port")

    assert SECRET not in f"{raised.value} {raised.value.__cause__}"


def test_a_message_lands_in_the_queue_of_the_namespace(imported: Import, redis_url: str) -> None:
    modules = imported(TASKS_REDIS_URL=redis_url, TASKS_REDIS_NAMESPACE="n", TASKS_QUEUE_NAME="q")
    queue = modules["queue"].JobQueue()

    queue.send(JOB_ID)

    assert queue.waiting() == {JOB_ID}
    client = Redis.from_url(redis_url)
    [message_id] = client.lrange("n:q", 0, -1)
    message = json.loads(client.hget("n:q.msgs", message_id) or "")
    assert (message["actor_name"], message["args"]) == ("run_evolution_job", [JOB_ID])
    client.close()
    modules["broker"].broker.close()


def test_what_is_no_job_s_message_does_not_hide_those_that_are(
    imported: Import, redis_url: str
) -> None:
    modules = imported(TASKS_REDIS_URL=redis_url)
    queue = modules["queue"].JobQueue()
    client = Redis.from_url(redis_url)
    for number, content in enumerate((b"", b"{", b"[]", b"{}", b'{"args": []}', b'{"args": 5}')):
        client.hset("loreley:loreley.evolution.msgs", str(number), content)
        client.rpush("loreley:loreley.evolution", str(number))
    client.rpush("loreley:loreley.evolution", "evicted")

    queue.send(JOB_ID)

    assert queue.waiting() == {JOB_ID}
    client.close()
    modules["broker"].broker.close()


def test_the_scheduler_gives_up_a_message_soon(imported: Import) -> None:
    """It tries again at its next tick; until then it must notice that it is to stop."""
    queue = imported(TASKS_REDIS_PORT=str(free_port()))["queue"].JobQueue()

    for command in (lambda: queue.send(JOB_ID), queue.waiting):
        began = time.monotonic()
        with pytest.raises(ServiceUnavailable):
            command()
        assert time.monotonic() - began < 3


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """A log file that takes everything there is."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield configure_logging("worker", level="TRACE", base_dir=str(tmp_path))
    logger.remove()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    logging.getLogger("dramatiq").setLevel(logging.NOTSET)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["user and password", "query", "parts"])
def test_no_credential_is_ever_printed_or_logged(
    imported: Import, log: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], way: str
) -> None:
    """Neither by us at TRACE, nor by the libraries, nor in a traceback."""
    with redis_server(tmp_path, "--requirepass", "right") as url:
        address = url.removeprefix("redis://")
        settings = {
            "user and password": {"TASKS_REDIS_URL": f"redis://user:{SECRET}@{address}"},
            "query": {"TASKS_REDIS_URL": f"{url}?password={SECRET}"},
            "parts": {
                "TASKS_REDIS_PORT": address.rpartition(":")[2].partition("/")[0],
                "TASKS_REDIS_PASSWORD": SECRET,
            },
        }[way]
        modules = imported(**settings)
        modules["broker"].broker.client.set_retry(Retry(NoBackoff(), 0))

        for command in (
            lambda: modules["queue"].JobQueue().send(JOB_ID),
            modules["queue"].JobQueue().waiting,
        ):
            with pytest.raises(ServiceUnavailable) as raised:
                command()
            report_failure(raised.value)

    out, err = capfd.readouterr()
    assert err.count("check the user and password") >= 2
    assert "Traceback" in log.read_text()
    assert SECRET not in out + err + log.read_text()


def test_an_actor_outside_a_worker_says_how_to_start_one(imported: Import) -> None:
    with pytest.raises(RuntimeError, match=r"script/run_worker\.py"):
        imported()["workers"].run_evolution_job.fn(JOB_ID)
