import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loreley.host.signals import StopSignals


@pytest.fixture
def signals() -> Iterator[StopSignals]:
    with StopSignals() as entered:
        yield entered


def send(number: signal.Signals = signal.SIGTERM) -> None:
    os.kill(os.getpid(), number)


def open_descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def test_nothing_is_asked_at_first(signals: StopSignals) -> None:
    assert (signals.asked, signals.count, signals.last) == (False, 0, None)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_either_signal_asks_for_a_stop(signals: StopSignals, number: signal.Signals) -> None:
    send(number)

    assert signals.wait(5)
    assert (signals.asked, signals.count, signals.last) == (True, 1, number)


def test_a_request_made_before_the_wait_is_not_lost(signals: StopSignals) -> None:
    send()
    assert signals.wait(5)

    assert signals.wait(0)
    assert not signals.wait(0.01, until_count=2)
    send(signal.SIGINT)
    assert signals.wait(5, until_count=2)


def test_a_wait_ends_after_its_seconds_without_using_the_processor(signals: StopSignals) -> None:
    began, used = time.monotonic(), time.process_time()

    assert not signals.wait(0.2)

    assert 0.2 <= time.monotonic() - began < 5
    assert time.process_time() - used < 0.1


def test_a_wait_without_end_is_woken_at_once(signals: StopSignals) -> None:
    sent_at: list[float] = []

    def ask() -> None:
        sent_at.append(time.monotonic())
        send()

    timer = threading.Timer(0.05, ask)
    timer.start()

    assert signals.wait()
    assert time.monotonic() - sent_at[0] < 1
    timer.join()


def test_other_signals_do_not_end_the_wait(signals: StopSignals) -> None:
    previous = signal.signal(signal.SIGUSR1, lambda _number, _frame: None)
    timer = threading.Timer(0.02, send, [signal.SIGUSR1])
    timer.start()

    assert not signals.wait(0.2)

    timer.join()
    signal.signal(signal.SIGUSR1, previous)


@pytest.mark.slow
def test_more_signals_than_the_pipe_holds_are_counted_without_blocking(
    signals: StopSignals,
) -> None:
    for _ in range(70_000):
        signal.raise_signal(signal.SIGTERM)

    assert signals.wait(5, until_count=70_000)


def test_the_handlers_before_are_back_afterwards_and_nothing_stays_open() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    descriptors = open_descriptors()

    with pytest.raises(ZeroDivisionError), StopSignals():
        raise ZeroDivisionError

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert open_descriptors() == descriptors
    assert signal.set_wakeup_fd(-1) == -1


def test_nothing_runs_in_the_handler_but_a_count(signals: StopSignals) -> None:
    """A handler that logged or took a lock here would deadlock."""
    lock = threading.Lock()

    with lock:
        send()

    assert signals.wait(5)
    assert signals.count == 1
