"""The queue as the scheduler uses it: send a message for a job, see which were not taken."""

from contextlib import suppress

from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from loreley.config import get_settings
from loreley.tasks.broker import broker
from loreley.tasks.connection import unavailable
from loreley.tasks.messages import read_waiting_jobs
from loreley.tasks.workers import run_evolution_job

_RETRIES = 1
_ANSWER_SECONDS = 3.0


class JobQueue:
    """Messages for the `run_evolution_job` actor."""

    def __init__(self) -> None:
        """Make the process's broker give up soon: the scheduler tries again at its next tick."""
        broker.client.set_retry(Retry(ExponentialWithJitterBackoff(cap=0.5, base=0.05), _RETRIES))
        broker.client.connection_pool.connection_kwargs["socket_timeout"] = _ANSWER_SECONDS

    def send(self, job_id: str, *, first: bool = False) -> None:
        """Put a message for the job into the queue, or before all others.

        Raises `ServiceUnavailable`.
        """
        try:
            run_evolution_job.send(job_id)
            if first:
                # Where a worker was quicker another one comes first, which is as good.
                with suppress(ResponseError):  # a server or a user without the command
                    broker.client.lmove(self._key, self._key, "RIGHT", "LEFT")
        except RedisError as error:
            raise unavailable(get_settings(), error) from error

    def waiting(self) -> set[str]:
        """The ids of jobs whose message nobody has taken yet; raises `ServiceUnavailable`."""
        try:
            return read_waiting_jobs(broker.client, self._key)
        except RedisError as error:
            raise unavailable(get_settings(), error) from error

    @property
    def _key(self) -> str:
        return f"{broker.namespace}:{run_evolution_job.queue_name}"
