"""Waiting for a service that does not answer, and when that ends."""

import threading
import time

import pytest

from loreley.errors import JobLost, ServiceUnavailable
from loreley.host.backoff import Backoff, retry_outages
from loreley.host.deadline import Deadline, Stop


def test_a_pause_doubles_up_to_five_seconds_and_begins_anew() -> None:
    backoff = Backoff(2.0)
    backoff.grow()
    assert backoff.seconds == 4.0
    backoff.grow()
    assert backoff.seconds == 5.0
    backoff.reset()
    assert backoff.seconds == 2.0


def test_a_first_pause_above_five_seconds_stays() -> None:
    backoff = Backoff(10.0)
    backoff.grow()
    assert backoff.seconds == 10.0


def test_retrying_ends_with_the_deadline() -> None:
    attempts: list[float] = []

    def never() -> None:
        attempts.append(time.monotonic())
        raise ServiceUnavailable("away")

    began = time.monotonic()
    with pytest.raises(ServiceUnavailable):
        retry_outages(never, Deadline.after(0.6))

    assert 0.6 <= time.monotonic() - began < 2
    assert 3 <= len(attempts) <= 4


def test_retrying_ends_when_the_job_is_lost() -> None:
    stop = Stop()
    threading.Timer(0.1, stop.ask, (JobLost("lost"),)).start()

    def never() -> None:
        raise ServiceUnavailable("away")

    with pytest.raises(JobLost):
        retry_outages(never, Deadline(stop=stop))
