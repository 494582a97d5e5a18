"""Users of Redis that may not do everything (row 17)."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis

from loreley.config import Settings
from loreley.errors import ConfigError
from loreley.tasks.connection import require_redis
from tests.services import redis_server


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with redis_server(tmp_path) as found:
        yield found


def test_row_17_trying_what_is_needed_leaves_nothing_behind(url: str) -> None:
    require_redis(Settings(tasks_redis_url=url))

    with Redis(port=urlsplit(url).port or 0) as client:
        assert client.keys("*") == []


def settings_of(url: str, *rights: str) -> Settings:
    """Those of a user with these rights."""
    with Redis(port=urlsplit(url).port or 0) as client:
        client.execute_command("ACL", "SETUSER", "worker", "on", ">secret", "&*", *rights)
    return Settings(tasks_redis_url=url.replace("redis://", "redis://worker:secret@"))


@pytest.mark.parametrize(
    ("rights", "missing"),
    [
        (("~loreley*", "+@all", "-@dangerous"), "KEYS"),
        (("~*", "+@all", "-keys"), "KEYS"),
        (("~*", "+@all", "-@scripting"), "EVAL"),
        (("~*", "+@all", "-zremrangebyscore"), "ZREMRANGEBYSCORE"),
        (("~other*", "+@all"), "EVAL"),
        (("~*", "+@all", "-rpush"), "RPUSH"),
        (("~*", "+@all", "-del"), "DEL"),
        (("~*", "+@all", "-evalsha"), "EVALSHA"),
        (("~*", "+@all", "-lrange"), "LRANGE"),
        (("%R~*", "+@all"), "EVAL"),
    ],
)
def test_row_17_a_right_that_is_needed_later_is_asked_for_at_the_start(
    rights: tuple[str, ...], missing: str, url: str
) -> None:
    with pytest.raises(ConfigError, match="may not do what the queue needs") as raised:
        require_redis(settings_of(url, *rights))

    [problem] = raised.value.problems
    assert missing in problem.what
    assert "+@all -@dangerous +keys" in problem.fix
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "rights", [("~loreley*", "+@all", "-@dangerous", "+keys"), ("~*", "+@all")]
)
def test_row_17_a_user_that_may_do_what_is_documented_is_enough(
    rights: tuple[str, ...], url: str
) -> None:
    require_redis(settings_of(url, *rights))
