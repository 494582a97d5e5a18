"""The queue between scheduler and workers."""

import re
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator

from loreley.config.values import split_url
from loreley.masking import masked

# Of a Redis URL, beside ssl_…; others would change what Dramatiq gets to see, or mean nothing.
_REDIS_OPTIONS = {
    *("db", "username", "password", "client_name", "protocol"),
    *("socket_timeout", "socket_connect_timeout", "socket_keepalive", "health_check_interval"),
}


class QueueSettings(BaseModel):
    """The Redis queue between scheduler and workers."""

    tasks_redis_url: SecretStr | None = Field(
        None,
        description="`redis://`, `rediss://` or `unix://` URL; wins over the parts below.",
    )
    tasks_redis_host: str = Field(
        "localhost", pattern=r"^[^\s/@]+$", description="Redis host name, without port."
    )
    tasks_redis_port: int = Field(6379, ge=1, le=65535, description="Redis port.")
    tasks_redis_db: int = Field(0, ge=0, description="Redis database number.")
    tasks_redis_password: SecretStr | None = Field(None, description="Redis password.")
    tasks_redis_namespace: str = Field(
        "loreley", pattern=r"^[\w.-]{1,64}$", description="Prefix of every Redis key."
    )
    tasks_queue_name: str = Field(
        "loreley.evolution",
        pattern=r"^[A-Za-z_][\w.-]{0,63}$",
        description="Queue of the `run_evolution_job` actor.",
    )
    tasks_worker_max_retries: int = Field(
        0,
        ge=0,
        le=1000,
        description="How often Dramatiq delivers a message again after an unforeseen error. "
        "Jobs are retried by the database, so 0 is right nearly always.",
    )
    tasks_worker_time_limit_seconds: float = Field(
        3600,
        le=7 * 86400,
        allow_inf_nan=False,
        description="Longest time for one job, all of its steps together; 0 or less: none.",
    )
    tasks_worker_lease_seconds: float = Field(
        30,
        ge=3,
        le=3600,
        description="How long a silent worker keeps its job. A third of it is the renewal "
        "interval; after a crash the job runs again when the lease is over.",
    )
    tasks_worker_grace_seconds: float = Field(
        30,
        ge=0,
        le=86400,
        description="How long a stopping worker lets its job go on before it interrupts it.",
    )

    @field_validator("tasks_redis_url")
    @classmethod
    def _redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            url = value.get_secret_value()
            parts = split_url(url)
            if url.partition(":")[0] not in {"redis", "rediss", "unix"}:
                raise ValueError("expected a redis://, rediss:// or unix:// URL")
            if parts.scheme == "unix" and not parts.path:
                raise ValueError("a unix:// URL needs the path of the socket")
            if parts.scheme != "unix" and not parts.hostname:
                raise ValueError("the URL names no host")
            if parts.scheme != "unix" and not re.fullmatch(r"/?|/\d+", parts.path):
                raise ValueError("the URL's path is the number of the database, such as /0")
            names = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
            if unknown := {one for one in names - _REDIS_OPTIONS if not one.startswith("ssl_")}:
                raise ValueError(f"unknown option {sorted(unknown)[0]!r} behind the '?'")
        return value

    @property
    def redis_target(self) -> str:
        """The Redis server in words that may be shown: no credentials."""
        if self.tasks_redis_url is not None:
            parts = urlsplit(self.tasks_redis_url.get_secret_value())
            query = f"?{parts.query}" if parts.query else ""
            address = f"{parts.netloc.rpartition('@')[2]}{parts.path}{query}"
            return masked(f"{parts.scheme}://{address}")
        return f"redis://{self.tasks_redis_host}:{self.tasks_redis_port}/{self.tasks_redis_db}"
