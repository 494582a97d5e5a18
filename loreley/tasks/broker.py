"""The Dramatiq broker of this process; importing it connects to nothing."""

import dramatiq

from loreley.config import get_settings
from loreley.tasks.connection import redis_client
from loreley.tasks.consumer import JobBroker

# Maintenance returns the messages of dead processes to the queue. Dramatiq runs it with one
# command in a thousand, so that a quiet queue waits for an hour; with every command it costs
# 0.2 ms and the wait is the heartbeat timeout.
_MAINTENANCE_ALWAYS = 1_000_000
_HEARTBEAT_TIMEOUT_MS = 60_000


def _create_broker() -> JobBroker:
    settings = get_settings()
    return JobBroker(  # type: ignore[no-untyped-call]
        client=redis_client(settings),
        namespace=settings.tasks_redis_namespace,
        maintenance_chance=_MAINTENANCE_ALWAYS,
        heartbeat_timeout=_HEARTBEAT_TIMEOUT_MS,
    )


broker = _create_broker()
dramatiq.set_broker(broker)
