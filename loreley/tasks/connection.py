"""The connection to Redis: timeouts, retries and a check that says what to change."""

import re
from typing import Any

from loguru import logger
from redis import Redis
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError
from redis.retry import Retry

from loreley.config import QueueSettings
from loreley.errors import ConfigError, ServiceUnavailable
from loreley.invocation import typed
from loreley.masking import masked

_CONNECT_SECONDS = 3.0
_ANSWER_SECONDS = 10.0
_LONGEST_SECONDS = 86400.0
# What Dramatiq's script does to its own keys, on one that is gone at the end.
_WITHOUT_EFFECT = """
local key = KEYS[1]
redis.call('del', key)
redis.call('rpush', key, 'x')
redis.call('lpop', key)
redis.call('hset', key, 'x', '1')
redis.call('hget', key, 'x')
redis.call('hmget', key, 'x')
redis.call('hexists', key, 'x')
redis.call('hlen', key)
redis.call('hdel', key, 'x')
redis.call('sadd', key, 'x')
redis.call('smembers', key)
redis.call('scard', key)
redis.call('srem', key, 'x')
redis.call('zadd', key, 1, 'x')
redis.call('zrangebyscore', key, 0, 1)
redis.call('zrem', key, 'x')
redis.call('zremrangebyscore', key, 1, 0)
redis.call('del', key)
return 1
"""
_SCRIPT_LINE = re.compile(r"can't run this command.*@user_script:(\d+)", re.DOTALL)
_FORBIDDEN = re.compile(r"\brun the '(\w+)")
_RETRIES = 10  # up to about 35 s together: a fail-over or a short network cut passes unnoticed


def redis_client(settings: QueueSettings, *, retries: int = _RETRIES) -> Redis:
    """A client for the configured server; nothing is connected before its first command.

    Raises `ConfigError` when an option in the URL has no usable value.
    """
    backoff = ExponentialWithJitterBackoff(cap=5.0, base=0.05) if retries else NoBackoff()
    options: dict[str, Any] = {
        "socket_connect_timeout": _CONNECT_SECONDS,
        "socket_timeout": _ANSWER_SECONDS if retries else _CONNECT_SECONDS,
        "retry": Retry(backoff, retries),
        "health_check_interval": 30,
    }
    if settings.tasks_redis_url is not None:
        url = settings.tasks_redis_url.get_secret_value()
        if url.startswith("unix:"):
            del options["socket_connect_timeout"]
        try:
            return _require_usable(Redis.from_url(url, **options))
        except (ValueError, TypeError, RedisError) as error:
            raise ConfigError(
                "TASKS_REDIS_URL cannot be used",
                setting="TASKS_REDIS_URL",
                target=settings.redis_target,
                reason=masked(str(error)),
                fix="correct the option behind the '?'",
            ) from None
    password = settings.tasks_redis_password
    return Redis(
        host=settings.tasks_redis_host,
        port=settings.tasks_redis_port,
        db=settings.tasks_redis_db,
        password=password.get_secret_value() if password else None,
        **options,
    )


def _require_usable(client: Redis) -> Redis:
    """The client, once a connection could be made of its options; else what redis-py raises."""
    connection = client.connection_pool.make_connection()
    for name in ("socket_timeout", "socket_connect_timeout"):
        seconds = getattr(connection, name, None)
        if seconds is not None and not 0 < seconds <= _LONGEST_SECONDS:
            raise ValueError(f"{name} is a number of seconds above 0")
    return client


def require_redis(settings: QueueSettings) -> None:
    """Ping the server once, in at most a few seconds, or raise `ServiceUnavailable`.

    Raises `ConfigError` where its user may not do what is needed sooner or later. Warns of a server
    that may throw messages away.
    """
    client = redis_client(settings, retries=0)
    try:
        client.ping()
        _try_what_is_needed(client, settings)
        _warn_of_eviction(client)
    except (RedisError, OSError) as error:
        raise unavailable(settings, error) from error
    finally:
        client.close()


def _try_what_is_needed(client: Redis, settings: QueueSettings) -> None:
    """Try, without any effect, what Dramatiq's script does sooner or later.

    Its clean-up, now and then, asks for names by KEYS, which a user without @dangerous may not: the
    worker would fall silent in the middle of a run.
    """
    key = f"{settings.tasks_redis_namespace}:__no-such-key__"
    script = client.register_script(_WITHOUT_EFFECT)
    for command, attempt in (
        ("KEYS", lambda: client.keys(key)),
        ("EVAL, ZREMRANGEBYSCORE", lambda: script(keys=[key])),
        ("LRANGE", lambda: client.lrange(key, 0, 0)),
        ("HVALS", lambda: client.hvals(key)),
        ("SISMEMBER", lambda: client.sismember(key, "x")),
    ):
        try:
            attempt()
        except ResponseError as error:
            if not _is_forbidden(error):
                continue  # of a server that takes no writes now, say; others tell more of it
            raise ConfigError(
                "this user of Redis may not do what the queue needs: "
                f"{_find_command(str(error)) or command}",
                setting="TASKS_REDIS_URL" if settings.tasks_redis_url else "TASKS_REDIS_PASSWORD",
                target=settings.redis_target,
                reason=masked(str(error)),
                fix="allow it, also to scripts, as by `ACL SETUSER <user> "
                f"~{settings.tasks_redis_namespace}* &* +@all -@dangerous +keys`",
            ) from error


def _find_command(words: str) -> str:
    """The command that is refused, by its name or by its line of the script; empty: not told."""
    if told := _FORBIDDEN.search(words):
        return told[1].upper()
    lines = _WITHOUT_EFFECT.splitlines()
    at = int(found[1]) - 1 if (found := _SCRIPT_LINE.search(words)) else 0
    called = re.search(r"call\('(\w+)'", lines[at]) if at < len(lines) else None
    return called[1].upper() if called else ""


def _is_forbidden(error: ResponseError) -> bool:
    words = str(error)
    is_refused = any(sign in words for sign in ("NOPERM", "ermission", "can't run this command"))
    return isinstance(error, NoPermissionError) or is_refused


def _warn_of_eviction(client: Redis) -> None:
    try:
        policy = str(client.info("memory").get("maxmemory_policy", ""))
    except ResponseError:  # this user may not ask
        return
    if policy.startswith("allkeys"):
        logger.warning(
            "Redis may throw away messages of jobs, which then wait to be sent again: "
            "its maxmemory-policy is {}; set it to noeviction",
            policy,
        )


def unavailable(settings: QueueSettings, error: Exception) -> ServiceUnavailable:
    """What the operator should know when a command to Redis has failed with ``error``."""
    if isinstance(error, AuthenticationError):
        fix = "check the user and password"
    elif isinstance(error, NoPermissionError):
        fix = "let this user do it: `ACL SETUSER <user> … +@all -@dangerous +keys`"
    elif "DB index" in str(error):
        fix = "choose an existing database number"
    else:
        fix = f"start the server, or correct its address; `{typed('redis')}` tells more"
    by_url = settings.tasks_redis_url is not None
    return ServiceUnavailable(
        "Redis does not answer as needed",
        setting="TASKS_REDIS_URL" if by_url else "TASKS_REDIS_HOST, TASKS_REDIS_PORT, …",
        target=settings.redis_target,
        reason=masked(str(error)) or type(error).__name__,
        fix=fix,
    )
