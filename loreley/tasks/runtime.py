"""The life of a worker process: online, asked to stop, stopped within a bound."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dramatiq import Worker
from dramatiq.brokers.redis import RedisBroker
from loguru import logger
from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from loreley.entry import ExitCode
from loreley.errors import WorkerUnfit
from loreley.host.signals import StopSignals
from loreley.logs import print_and_log

_POLL_MS = 100  # the longest a new message waits for an idle worker, and a stop for an idle thread
_BEAT_SECONDS = 10.0
_WATCH_SECONDS = 3.0
_LOOK_SECONDS = 0.05
_SETTLE_SECONDS = 2.0  # for an idle worker: give back what was prefetched, acknowledge the last
_DRAIN_SECONDS = 7 * 86_400.0  # a job's own time limit comes first
_INTERRUPT_SECONDS = 3.0  # for an interrupted job: kill its children, free the worktree, release


def create_worker(broker: RedisBroker, queue_name: str) -> Worker:
    """A Dramatiq worker that takes one message at a time from one queue; not started yet."""
    worker = Worker(broker, queues={queue_name}, worker_threads=1, worker_timeout=_POLL_MS)
    # Prefetch counts the running message: with more than one, the next would wait behind a job
    # of an hour while other workers idle.
    worker.queue_prefetch = 1
    worker.delay_prefetch = 1
    return worker


@contextmanager
def keep_online(worker: Worker, broker: RedisBroker, queue_name: str) -> Iterator[None]:
    """Start consuming; the beat keeps the messages of a long job from being given away."""
    # Dramatiq's own command line announces the boot; without it, its time limits never start.
    broker.emit_after("process_boot")
    worker.start()
    done = threading.Event()
    _start(lambda: _beat(broker, queue_name, done), "heartbeat")
    _start(lambda: _watch_redis(broker, done), "redis")
    try:
        yield
    finally:
        done.set()


def serve(
    worker: Worker,
    signals: StopSignals,
    *,
    grace_seconds: float,
    is_busy: Callable[[], bool],
    interrupt: Callable[[], None],
    find_flaw: Callable[[], WorkerUnfit | None],
    is_draining: Callable[[], bool] = lambda: False,
) -> ExitCode:
    """Block until a stop is asked for, then stop the worker; bounded in every step.

    A flaw of the worker stops it as well, and is raised when it has stopped. While ``is_busy``
    says so the running job may go on for ``grace_seconds``, or until a second signal; then
    ``interrupt`` must make it end. One that ``is_draining`` stops, too, with all the time that
    its job takes.
    """
    while not signals.wait(_LOOK_SECONDS) and find_flaw() is None and not is_draining():
        pass
    drains = is_draining() and not signals.count
    bound_ms = int(((_DRAIN_SECONDS if drains else grace_seconds) + _INTERRUPT_SECONDS) * 1000)
    # Exactly one `stop`, and not in the signal handler: it blocks, and called twice it leaves
    # `join` waiting for ever. In a thread of its own, the second signal is still noticed here.
    stopping = _start(lambda: worker.stop(timeout=bound_ms), "stop")
    is_stopped = False
    if drains:
        print_and_log(f"worker: drained{'; the running job goes on to its end' * is_busy()}")
        is_stopped = _wait_for_stop(stopping, signals, is_busy, _DRAIN_SECONDS, until_count=1)
    if not is_stopped and (signals.count or not drains):
        what_follows = (
            f"; the running job has {grace_seconds:g} s to finish, press Ctrl+C again to "
            "interrupt it"
        )
        print_and_log(f"worker: stopping{what_follows * is_busy()}")
        is_stopped = _wait_for_stop(stopping, signals, is_busy, grace_seconds)
    if not is_stopped and is_busy():
        interrupt()
        stopping.join(_INTERRUPT_SECONDS)
    joining = _start(worker.join, "join")
    joining.join(0.5)
    if signals.count > 1:
        return ExitCode.INTERRUPTED
    print_and_log("worker: stopped")
    if (flaw := find_flaw()) is not None:
        raise flaw
    return ExitCode.STOPPED


def _wait_for_stop(
    stopping: threading.Thread,
    signals: StopSignals,
    is_busy: Callable[[], bool],
    grace_seconds: float,
    until_count: int = 2,
) -> bool:
    """Whether the stop is done in time; returns at once on so many signals."""
    waited = idle = 0.0
    # Without a job there is nothing to wait for but Redis, which may be away.
    while stopping.is_alive() and waited < grace_seconds and idle < _SETTLE_SECONDS:
        if signals.wait(_LOOK_SECONDS, until_count=until_count):
            break
        waited += _LOOK_SECONDS
        idle = 0.0 if is_busy() else idle + _LOOK_SECONDS
    stopping.join(_LOOK_SECONDS)
    return not stopping.is_alive()


def _start(target: Callable[[], None], name: str) -> threading.Thread:
    thread = threading.Thread(target=target, name=name, daemon=True)
    thread.start()
    return thread


def _beat(broker: RedisBroker, queue_name: str, done: threading.Event) -> None:
    while not done.wait(_BEAT_SECONDS):
        try:
            broker.do_qsize(queue_name)
        except RedisError as error:
            logger.debug("Redis does not answer the heartbeat: {}", error)


def _watch_redis(broker: RedisBroker, done: threading.Event) -> None:
    """Tell within seconds that Redis is silent: whoever uses it tries again for longer."""
    known = broker.client.connection_pool
    impatient = {"socket_timeout": _WATCH_SECONDS, "retry": Retry(NoBackoff(), 0)}
    pool = ConnectionPool(known.connection_class, **known.connection_kwargs | impatient)
    client = Redis(connection_pool=pool)
    is_silent = False
    while not done.wait(_WATCH_SECONDS):
        try:
            client.ping()
        except (RedisError, OSError) as error:
            if not is_silent:
                logger.warning("Redis does not answer; no job comes until it does: {}", error)
            is_silent = True
        else:
            if is_silent:
                logger.info("Redis answers again")
            is_silent = False
    client.close()
