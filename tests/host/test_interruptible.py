"""Work that hangs, waited for as long as is wanted."""

import threading

import pytest

from loreley.host.interruptible import Background
from tests.support import eventually


def test_work_that_is_done_is_answered_and_done_anew() -> None:
    numbers = iter(range(3))
    background = Background(lambda: next(numbers), "counting")

    assert [background.ask(5), background.ask(5)] == [0, 1]
    assert background.waited_seconds == 0


def test_work_that_hangs_is_begun_once_and_its_answer_taken_later() -> None:
    gate, calls = threading.Event(), []
    background = Background(lambda: calls.append(gate.wait(10)), "waiting")

    assert background.ask(0.01) is None
    assert background.ask(0.01) is None
    assert background.waited_seconds > 0.01
    gate.set()

    eventually(lambda: calls == [True])
    background.ask(5)
    assert background.waited_seconds == 0
    assert calls == [True]


def test_what_the_work_raises_is_raised_where_it_is_asked_for() -> None:
    def fail() -> None:
        raise ValueError("no")

    background = Background(fail, "failing")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            background.ask(5)
