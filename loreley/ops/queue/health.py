"""The judgement behind `invoke redis`: could a worker work with this queue server?"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import SecretStr
from redis.exceptions import RedisError

from loreley.config import QueueSettings, Settings, is_redis_configured
from loreley.errors import ConfigError, Problem, ServiceUnavailable
from loreley.invocation import typed
from loreley.masking import masked
from loreley.ops.embedded.folder import ServerFolder
from loreley.ops.queue.facts import RedisFacts, read_redis_facts
from loreley.tasks.connection import redis_client, require_redis

_FULL = 0.95  # of maxmemory


@dataclass(frozen=True, slots=True)
class QueueHealth:
    """The queue server as a worker would find it; None where this user may not look."""

    target: str
    queue: str
    namespace: str
    server: str | None = None
    latency_ms: float | None = None
    memory_policy: str | None = None
    used_memory_bytes: int | None = None
    max_memory_bytes: int | None = None  # 0: no limit
    persistence: str | None = None
    waiting: int | None = None
    delayed: int | None = None
    unacknowledged: int | None = None
    dead: int | None = None
    processes_seen: int | None = None
    forbidden: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def lets_workers_work(self) -> bool:
        """Whether a worker that was started now would get its messages, and keep them."""
        return not self.problems

    def to_mapping(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {**asdict(self), "lets_workers_work": self.lets_workers_work}


def examine(settings: QueueSettings) -> QueueHealth:
    """Look at the configured server; that it cannot be reached is a problem, not an exception."""
    try:
        require_redis(settings)
        with redis_client(settings, retries=0) as client:
            return judge(settings, read_redis_facts(client, settings))
    except (ServiceUnavailable, ConfigError) as error:
        return _judge_unreachable(settings, error.problems)
    except (RedisError, OSError) as error:
        problem = Problem(
            "Redis stopped answering while it was examined",
            target=settings.redis_target,
            reason=masked(str(error)) or type(error).__name__,
            fix="try again, and look at the server's own log",
        )
        return _judge_unreachable(settings, (problem,))


def examine_if_running(settings: Settings) -> QueueHealth | None:
    """Look at the queue server; None where that would mean to start the embedded one."""
    if settings.tasks_redis_url is None and not is_redis_configured():
        folder = ServerFolder.below(settings.loreley_state_dir)
        if not folder.socket_path.exists():
            return None
        settings = settings.model_copy(update={"tasks_redis_url": SecretStr(folder.url)})
    return examine(settings)


def judge(settings: QueueSettings, facts: RedisFacts) -> QueueHealth:
    """What the facts mean for a worker; pure."""
    info = facts.info or {}
    return QueueHealth(
        target=settings.redis_target,
        queue=settings.tasks_queue_name,
        namespace=settings.tasks_redis_namespace,
        server=_name_server(info),
        latency_ms=facts.latency_ms,
        memory_policy=info.get("maxmemory_policy"),
        used_memory_bytes=info.get("used_memory"),
        max_memory_bytes=info.get("maxmemory"),
        persistence=_describe_persistence(facts),
        waiting=facts.waiting,
        delayed=facts.delayed,
        unacknowledged=facts.unacknowledged,
        dead=facts.dead,
        processes_seen=facts.processes_seen,
        forbidden=facts.forbidden,
        warnings=tuple(_find_warnings(facts)),
        problems=tuple(_find_problems(settings, facts)),
    )


def _name_server(info: Any) -> str | None:
    if "valkey_version" in info:
        return f"Valkey {info['valkey_version']}"
    return f"Redis {info['redis_version']}" if "redis_version" in info else None


def _describe_persistence(facts: RedisFacts) -> str | None:
    if facts.info is None:
        return None
    if facts.info.get("aof_enabled"):
        return "append-only file"
    if facts.snapshots is None:
        return "no append-only file; snapshots: not permitted to read"
    return f"snapshots ({facts.snapshots})" if facts.snapshots else "none"


def _find_problems(settings: QueueSettings, facts: RedisFacts) -> Iterator[Problem]:
    target, info = settings.redis_target, facts.info or {}
    if facts.refusal:
        yield Problem(
            "a worker could not take messages",
            target=target,
            reason=masked(facts.refusal),
            fix=_find_fix(facts.refusal),
        )
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy.startswith("allkeys"):
        yield Problem(
            "Redis may throw messages away",
            target=target,
            reason=f"maxmemory-policy is {policy}",
            fix="set maxmemory-policy to noeviction, or use a Redis that is no cache",
        )
    if info.get("cluster_enabled"):
        yield Problem(
            "the server is part of a Redis Cluster",
            target=target,
            reason="Dramatiq's scripts use keys of several slots",
            fix="use a server that is not clustered",
        )
    used, limit = info.get("used_memory", 0), info.get("maxmemory", 0)
    if limit and used >= limit:
        yield Problem(
            "the server's memory is full",
            target=target,
            reason=f"{format_mebibytes(used)} of {format_mebibytes(limit)} in use: "
            "acknowledgements are refused",
            fix="raise maxmemory, or remove what else is stored there",
        )


def _find_warnings(facts: RedisFacts) -> Iterator[str]:
    info = facts.info or {}
    policy = str(info.get("maxmemory_policy", ""))
    if policy.startswith("volatile"):
        yield f"maxmemory-policy is {policy}: messages never expire and so stay; prefer noeviction"
    if _describe_persistence(facts) == "none":
        yield (
            "nothing is written to disk: a restart of the server loses the queue; "
            "jobs survive in the database and are sent again"
        )
    used, limit = info.get("used_memory", 0), info.get("maxmemory", 0)
    if limit and _FULL * limit <= used < limit:
        yield f"memory is nearly full: {format_mebibytes(used)} of {format_mebibytes(limit)}"
    if facts.dead:
        yield f"{facts.dead} dead letters: messages no worker could handle; their logs say why"
    if facts.waiting and facts.processes_seen == 0:
        yield f"messages wait and nobody takes them: start `{typed('worker')}`"


def _find_fix(refusal: str) -> str:
    if "replica" in refusal:
        return "connect to the primary, this is a replica"
    if "permission" in refusal:
        return "let this user run scripts and write the keys of TASKS_REDIS_NAMESPACE"
    if "MISCONF" in refusal:
        return "look at the server's log and disk: it cannot save and refuses writes"
    if "WRONGTYPE" in refusal:
        return "choose another TASKS_REDIS_NAMESPACE: something else uses these keys"
    return "look at the server's own log"


def _judge_unreachable(settings: QueueSettings, problems: tuple[Problem, ...]) -> QueueHealth:
    return QueueHealth(
        target=settings.redis_target,
        queue=settings.tasks_queue_name,
        namespace=settings.tasks_redis_namespace,
        problems=problems,
    )


def format_mebibytes(count: float) -> str:
    """A number of bytes for people."""
    return f"{count / 2**20:.1f} MiB"
