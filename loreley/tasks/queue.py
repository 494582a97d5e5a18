"""The queue as the scheduler uses it: ring the bell for a job, count what waits."""

from redis.exceptions import RedisError

from loreley.config import get_settings
from loreley.tasks.broker import broker
from loreley.tasks.connection import unavailable
from loreley.tasks.workers import run_evolution_job


class JobQueue:
    """Messages for the `run_evolution_job` actor."""

    def send(self, job_id: str) -> None:
        """Put a message for the job into the queue; raises `ServiceUnavailable`."""
        try:
            run_evolution_job.send(job_id)
        except RedisError as error:
            raise unavailable(get_settings(), error) from error

    def waiting(self) -> int:
        """How many messages no worker has taken yet; raises `ServiceUnavailable`."""
        try:
            return broker.client.llen(f"{broker.namespace}:{run_evolution_job.queue_name}")
        except RedisError as error:
            raise unavailable(get_settings(), error) from error
