"""Job messages as they lie in Redis, without taking them."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import cast

from redis import Redis

_PIECE = 1000  # messages read at once


def read_waiting_jobs(client: Redis, queue: str) -> set[str]:
    """The ids of jobs whose message waits in ``queue``, the key with its namespace."""
    message_ids = cast(list[bytes], client.lrange(queue, 0, -1))
    found: set[str] = set()
    for start in range(0, len(message_ids), _PIECE):
        piece = message_ids[start : start + _PIECE]
        found.update(_job_ids(cast(list[bytes | None], client.hmget(f"{queue}.msgs", piece))))
    return found


def read_known_jobs(client: Redis, queue: str) -> set[str]:
    """The ids of jobs whose message waits in ``queue`` or is in a worker's hands."""
    return set(_job_ids(cast(list[bytes | None], client.hvals(f"{queue}.msgs"))))


def _job_ids(messages: Sequence[bytes | None]) -> Iterator[str]:
    """The first argument of each message.

    Whatever else lies there is no job's message, and the workers' to set aside.
    """
    for message in messages:
        with suppress(ValueError, TypeError, LookupError):
            yield str(json.loads(message or b"")["args"][0])
