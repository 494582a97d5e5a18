"""The queue as the scheduler uses it: ring the bell for a job, see whose bell was not heard."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from loreley.config import get_settings
from loreley.tasks.broker import broker
from loreley.tasks.connection import unavailable
from loreley.tasks.workers import run_evolution_job

_PIECE = 1000  # messages read at once


class JobQueue:
    """Messages for the `run_evolution_job` actor."""

    def send(self, job_id: str) -> None:
        """Put a message for the job into the queue; raises `ServiceUnavailable`."""
        try:
            run_evolution_job.send(job_id)
        except RedisError as error:
            raise unavailable(get_settings(), error) from error

    def waiting(self) -> set[str]:
        """The ids of jobs whose message nobody has taken yet; raises `ServiceUnavailable`."""
        queue = f"{broker.namespace}:{run_evolution_job.queue_name}"
        try:
            return set(_job_ids(broker.client, queue))
        except RedisError as error:
            raise unavailable(get_settings(), error) from error


def _job_ids(client: Redis, queue: str) -> Iterator[str]:
    """The first argument of each message in the list ``queue``, as Dramatiq keeps them."""
    message_ids = cast(list[bytes], client.lrange(queue, 0, -1))
    for start in range(0, len(message_ids), _PIECE):
        piece = message_ids[start : start + _PIECE]
        for message in cast(Sequence[bytes | None], client.hmget(f"{queue}.msgs", piece)):
            # Whatever else lies there is no job's message, and the workers' to set aside.
            with suppress(ValueError, TypeError, LookupError):
                yield str(json.loads(message or b"")["args"][0])
