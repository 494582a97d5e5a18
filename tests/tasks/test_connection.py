"""The connection to Redis: what survives, and the word an operator gets when it fails."""

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from loguru import logger
from redis import Redis
from redis.exceptions import RedisError

from loreley.config import Settings
from loreley.errors import ConfigError, ServiceUnavailable
from loreley.tasks.connection import redis_client, require_redis, unavailable
from tests.services import free_port, redis_server, silent_server

SECRET = "hunter2"


def refusal(*, within: float = 3, **settings: Any) -> ServiceUnavailable:
    """The error of the check, in bounded time and without the password."""
    began = time.monotonic()
    with pytest.raises(ServiceUnavailable) as raised:
        require_redis(Settings(**settings))
    assert time.monotonic() - began < within
    assert SECRET not in f"{raised.value} {raised.value.__cause__}"
    return raised.value


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2].partition("/")[0])


@pytest.fixture
def guarded_port(tmp_path: Path) -> Iterator[int]:
    """A server that asks for the password `right`."""
    with redis_server(tmp_path, "--requirepass", "right") as url:
        yield port_of(url)


def test_a_server_that_answers_is_enough(redis_url: str) -> None:
    require_redis(Settings(tasks_redis_url=redis_url))
    require_redis(Settings(tasks_redis_host="127.0.0.1", tasks_redis_port=port_of(redis_url)))


def test_the_url_wins_over_the_parts(redis_url: str) -> None:
    require_redis(Settings(tasks_redis_url=redis_url, tasks_redis_port=free_port()))


def test_a_socket_works_as_a_port_does(tmp_path: Path) -> None:
    path = tmp_path / "r.sock"
    with redis_server(tmp_path, "--unixsocket", str(path)):
        require_redis(Settings(tasks_redis_url=f"unix://{path}?db=1"))


def test_the_right_password_opens(guarded_port: int) -> None:
    require_redis(Settings(tasks_redis_url=f"redis://:right@127.0.0.1:{guarded_port}"))
    require_redis(Settings(tasks_redis_port=guarded_port, tasks_redis_password="right"))


def test_a_password_may_hold_any_character(tmp_path: Path) -> None:
    password = "p@ss/w:rd#?%[ü"
    with redis_server(tmp_path, "--requirepass", password) as url:
        require_redis(Settings(tasks_redis_port=port_of(url), tasks_redis_password=password))


def test_a_wrong_password_is_reported(guarded_port: int) -> None:
    for error in (
        refusal(tasks_redis_url=f"redis://:{SECRET}@127.0.0.1:{guarded_port}/0"),
        refusal(tasks_redis_url=f"redis://127.0.0.1:{guarded_port}/0?password={SECRET}"),
        refusal(tasks_redis_port=guarded_port, tasks_redis_password=SECRET),
    ):
        [problem] = error.problems
        assert problem.fix == "check the user and password"
        assert str(guarded_port) in problem.target


def test_a_missing_password_is_reported(guarded_port: int) -> None:
    [problem] = refusal(tasks_redis_port=guarded_port).problems

    assert problem.fix == "check the user and password"


def test_a_port_where_nobody_listens_is_reported_with_its_setting() -> None:
    port = free_port()

    by_url = refusal(tasks_redis_url=f"redis://user:{SECRET}@127.0.0.1:{port}/0").problems[0]
    by_parts = refusal(tasks_redis_port=port, tasks_redis_password=SECRET).problems[0]

    assert (by_url.setting, by_url.target) == ("TASKS_REDIS_URL", f"redis://127.0.0.1:{port}/0")
    assert by_parts.setting.startswith("TASKS_REDIS_HOST, TASKS_REDIS_PORT")
    assert "refused" in by_url.reason
    assert "start the server" in by_parts.fix


def test_a_host_that_nobody_knows_is_reported() -> None:
    assert "host.invalid" in refusal(tasks_redis_host="host.invalid", within=9).summary


def test_a_socket_that_is_not_there_is_reported(tmp_path: Path) -> None:
    error = refusal(tasks_redis_url=f"unix://{tmp_path}/none.sock")

    assert "No such file" in error.summary


def test_a_database_number_the_server_lacks_is_reported(redis_url: str) -> None:
    error = refusal(tasks_redis_port=port_of(redis_url), tasks_redis_db=99)

    assert error.problems[0].fix == "choose an existing database number"


@pytest.mark.slow
def test_a_server_that_says_nothing_is_given_up() -> None:
    with silent_server() as port:
        refusal(tasks_redis_url=f"redis://:{SECRET}@127.0.0.1:{port}", within=8)


@contextmanager
def other_service() -> Iterator[int]:
    """Something that listens and is no Redis; its port."""

    class Greeting(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Greeting) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_something_that_is_no_redis_is_reported() -> None:
    with other_service() as port:
        refusal(tasks_redis_port=port, tasks_redis_password=SECRET)


@pytest.mark.slow
def test_a_server_without_tls_is_reported(redis_url: str) -> None:
    refusal(tasks_redis_url=f"rediss://:{SECRET}@127.0.0.1:{port_of(redis_url)}", within=8)


@pytest.mark.parametrize("query", ["socket_timeout=x", "db=x", "ssl_cert_reqs=perhaps"])
def test_an_option_without_a_usable_value_is_reported(query: str) -> None:
    scheme = "rediss" if query.startswith("ssl") else "redis"
    settings = Settings(tasks_redis_url=f"{scheme}://:{SECRET}@127.0.0.1:1/?{query}")

    with pytest.raises((ConfigError, ServiceUnavailable)) as raised:
        require_redis(settings)

    assert query in raised.value.problems[0].target
    assert SECRET not in f"{raised.value} {raised.value.__cause__}"


@pytest.mark.parametrize(
    ("scheme", "query"),
    [
        ("redis", "ssl_cert_reqs=none"),
        ("rediss", "ssl_hunter=2"),
        ("redis", "protocol=9"),
        ("redis", "socket_timeout=-1"),
        ("redis", "socket_connect_timeout=inf"),
    ],
)
def test_an_option_that_no_connection_takes_is_reported_before_the_first_command(
    scheme: str, query: str
) -> None:
    settings = Settings(tasks_redis_url=f"{scheme}://:{SECRET}@127.0.0.1:1/?{query}")

    with pytest.raises(ConfigError) as raised:
        redis_client(settings)

    [problem] = raised.value.problems
    assert problem.fix == "correct the option behind the '?'"
    assert SECRET not in f"{raised.value} {raised.value.__cause__}"


def test_a_client_shows_no_password() -> None:
    for settings in (
        Settings(tasks_redis_url=f"redis://user:{SECRET}@127.0.0.1:1/0"),
        Settings(tasks_redis_password=SECRET),
    ):
        client = redis_client(settings)
        assert SECRET not in f"{client!r} {client.connection_pool!r}"


def test_a_client_connects_to_nothing_until_it_is_used() -> None:
    redis_client(Settings(tasks_redis_port=free_port())).close()


@pytest.mark.slow
def test_a_restart_of_the_server_goes_unnoticed(tmp_path: Path) -> None:
    folder = tmp_path / "again"
    folder.mkdir()
    with redis_server(tmp_path) as url:
        client = redis_client(Settings(tasks_redis_url=url))
        client.set("before", 1)
    answers: list[object] = []
    asking = threading.Thread(target=lambda: answers.append(client.ping()))
    asking.start()

    with redis_server(folder, port=port_of(url)):
        asking.join(15)
        client.close()

    assert answers == [True]


def test_an_error_without_words_is_reported_by_its_name() -> None:
    error = unavailable(Settings(), RedisError())

    assert error.problems[0].reason == "RedisError"


@pytest.mark.parametrize(("policy", "warns"), [("allkeys-lru", True), ("noeviction", False)])
def test_a_server_that_may_evict_messages_is_warned_of(
    tmp_path: Path, policy: str, warns: bool
) -> None:
    said: list[str] = []
    sink = logger.add(said.append, level="WARNING", format="{message}")
    with redis_server(tmp_path, "--maxmemory-policy", policy) as url:
        require_redis(Settings(tasks_redis_url=url))
    logger.remove(sink)

    assert ("maxmemory-policy is allkeys-lru" in "".join(said)) is warns


def test_a_user_that_may_not_ask_for_the_policy_may_work(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        with Redis(port=port_of(url)) as client:
            client.execute_command("ACL", "SETUSER", "default", "-info")
        require_redis(Settings(tasks_redis_url=url))
