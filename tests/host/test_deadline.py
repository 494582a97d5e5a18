"""Deadlines on a clock of our own, stops on real threads."""

import math
import threading

import pytest

from loreley.errors import JobInterrupted, JobLost, TimeLimitReached
from loreley.host.deadline import Deadline, Stop


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_deadline_that_is_not_over_lets_work_go_on() -> None:
    clock = Clock()
    deadline = Deadline(at=105, clock=clock)

    clock.now = 104.5
    deadline.check("working")

    assert deadline.remaining_seconds == pytest.approx(0.5)


@pytest.mark.parametrize("now", [105.0, 200.0])
def test_a_deadline_that_is_over_names_what_was_being_done(now: float) -> None:
    clock = Clock()
    deadline = Deadline(at=105, clock=clock)
    clock.now = now

    with pytest.raises(TimeLimitReached, match="while measuring"):
        deadline.check("measuring")

    assert deadline.remaining_seconds == 0


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_no_time_limit_never_ends(seconds: float) -> None:
    deadline = Deadline.after(seconds)

    deadline.check("working")

    assert deadline.remaining_seconds == math.inf


def test_an_inner_deadline_never_outlives_the_outer_one() -> None:
    outer = Deadline(at=105, clock=Clock())

    assert outer.within(2).remaining_seconds == 2
    assert outer.within(60).remaining_seconds == 5
    assert outer.within(0).remaining_seconds == 5


def test_an_inner_deadline_obeys_the_same_stop() -> None:
    outer = Deadline.after(60)
    inner = outer.within(1)

    outer.stop.ask(JobInterrupted("enough"))

    with pytest.raises(JobInterrupted):
        inner.check("working")


def test_a_stop_comes_before_a_passed_deadline() -> None:
    """Or an interrupted job would be recorded as failed instead of going back to the queue."""
    deadline = Deadline(at=0, clock=Clock())
    deadline.stop.ask(JobInterrupted("enough"))

    with pytest.raises(JobInterrupted):
        deadline.check("working")


def test_the_first_request_counts() -> None:
    stop = Stop()
    stop.ask(JobLost("first"))
    stop.ask(JobInterrupted("second"))

    with pytest.raises(JobLost, match="first"):
        stop.check()


def test_a_stop_may_be_asked_for_from_another_thread() -> None:
    stop = Stop()
    stop.check()
    thread = threading.Thread(target=stop.ask, args=(JobInterrupted("enough"),))
    thread.start()

    with pytest.raises(JobInterrupted):
        stop.wait(60)
    thread.join()


def test_waiting_ends_by_itself_when_nobody_asks() -> None:
    Stop().wait(0.001)
