"""What the scheduler says and how long it waits while a service is away."""

from collections.abc import Iterator

import pytest
from loguru import logger

from loreley.errors import ServiceUnavailable
from loreley.scheduler.outage import Outage


@pytest.fixture
def log() -> Iterator[list[str]]:
    said: list[str] = []
    sink = logger.add(said.append, level="INFO", format="{message}")
    yield said
    logger.remove(sink)


def test_an_outage_is_reported_once_and_the_pauses_grow_to_a_bound(log: list[str]) -> None:
    outage = Outage(1.0)
    pauses = []
    for attempt in range(4):
        outage.go_on(ServiceUnavailable("the database is away", reason=f"attempt {attempt}"))
        pauses.append(outage.pause_seconds)

    outage.end()

    assert pauses == [2.0, 4.0, 5.0, 5.0]
    assert outage.pause_seconds == 1.0
    assert [line.strip() for line in log] == [
        "waiting for a service: the database is away: attempt 0",
        "the service answers again",
    ]


def test_another_service_and_a_second_outage_are_reported_again(log: list[str]) -> None:
    outage = Outage(10.0)
    outage.go_on(ServiceUnavailable("the database is away"))
    outage.go_on(ServiceUnavailable("Redis is away"))
    outage.end()
    outage.go_on(ServiceUnavailable("Redis is away"))

    assert len([line for line in log if "waiting" in line]) == 3
    assert outage.pause_seconds == 10.0
