"""The queue as the scheduler uses it: send a message for a job, see which were not taken."""

from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from loreley.config import get_settings
from loreley.tasks.broker import broker
from loreley.tasks.connection import unavailable
from loreley.tasks.messages import read_waiting_jobs
from loreley.tasks.workers import run_evolution_job

_RETRIES = 3


class JobQueue:
    """Messages for the `run_evolution_job` actor."""

    def __init__(self) -> None:
        """Make the process's broker give up soon: the scheduler tries again at its next tick."""
        broker.client.set_retry(Retry(ExponentialWithJitterBackoff(cap=0.5, base=0.05), _RETRIES))

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
            return read_waiting_jobs(broker.client, queue)
        except RedisError as error:
            raise unavailable(get_settings(), error) from error
