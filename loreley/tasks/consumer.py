"""Messages from Redis, sorted before a worker thread can stumble over them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dramatiq.broker import MessageProxy
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed, DecodeError
from loguru import logger
from redis.exceptions import TimeoutError as RedisTimeoutError

from loreley.host.failpoints import Failpoint, hit

_SHOWN_BYTES = 200


class JobBroker(RedisBroker):
    """Dramatiq's Redis broker, with consumers that survive whatever is in the queue."""

    @property
    def consumer_class(self) -> type["JobConsumer"]:
        """What takes the messages of one queue."""
        return JobConsumer


class JobConsumer(_RedisConsumer):
    """Takes one message at a time; what is no message of this queue goes to its dead letters.

    Dramatiq's own consumer restarts over one that it cannot read, which then stays in work and
    comes back with every start; one that names another queue ends the worker thread for good.
    Prefetch must be 1.
    """

    def __next__(self) -> MessageProxy | None:
        with _translate_outages():
            try:
                message: MessageProxy | None = super().__next__()  # type: ignore[no-untyped-call]
            except DecodeError as error:
                self._reject_what_is_in_work(repr(error.data[:_SHOWN_BYTES]))
                return None
            except TypeError as error:  # from an id that cannot be a key
                self._reject_what_is_in_work(str(error))
                return None
            if message is not None and (flaw := self._find_flaw(message)):
                self._reject_what_is_in_work(flaw)
                return None
            return message

    def ack(self, message: MessageProxy) -> None:
        """Tell Redis that the message has been dealt with."""
        with _translate_outages():
            super().ack(message)  # type: ignore[no-untyped-call]
        hit(Failpoint.ACKED)

    def nack(self, message: MessageProxy) -> None:
        """Move the message to the dead letters."""
        with _translate_outages():
            super().nack(message)  # type: ignore[no-untyped-call]

    def requeue(self, messages: Any) -> None:
        """Give messages back that nobody has begun with."""
        with _translate_outages():
            super().requeue(messages)  # type: ignore[no-untyped-call]

    def _find_flaw(self, message: MessageProxy) -> str:
        """Why Dramatiq's worker would stumble over the message; empty when it would not."""
        is_delayed = self.queue_name.endswith(".DQ")
        options = message.options
        sound = {
            "no options": isinstance(options, dict),
            "no arguments": isinstance(message.kwargs, dict),
            "an actor without a name": isinstance(message.actor_name, str),
            "an id that is no text": isinstance(message.message_id, str),
            "another queue": message.queue_name == self.queue_name,
        }
        if isinstance(options, dict):
            # A time to wait for would keep the one place for messages occupied meanwhile.
            sound["a time in a queue that knows none"] = is_delayed or "eta" not in options
            sound["an id that is not its own"] = self._is_held(options.get("redis_message_id"))
        return next((flaw for flaw, is_sound in sound.items() if not is_sound), "")

    def _is_held(self, redis_id: object) -> bool:
        """Whether an acknowledgement of this id would reach a message in work."""
        is_text = isinstance(redis_id, str)
        return is_text and bool(self.broker.client.sismember(self._work_key, redis_id))

    @property
    def _work_key(self) -> str:
        return f"{self.broker.namespace}:__acks__.{self.broker.broker_id}.{self.queue_name}"

    def _reject_what_is_in_work(self, flaw: str) -> None:
        """Move all that this process holds of the queue to its dead letters.

        Only what was just fetched is held: nothing is fetched while a message is in work.
        """
        self.queued_message_ids.clear()
        for redis_id in self.broker.client.smembers(self._work_key):
            self.broker.do_nack(self.queue_name, redis_id)
        logger.error("a message that is none of ours went to the dead letters: {}", flaw)


@contextmanager
def _translate_outages() -> Iterator[None]:
    """Dramatiq tries again after a lost connection, but takes silence for a bug."""
    try:
        yield
    except RedisTimeoutError as error:
        raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]
