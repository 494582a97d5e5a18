"""Figures that tests measure on the way, told at the end of a run for the documents."""

import time
from collections.abc import Callable

import pytest

Figure = Callable[[str, str], None]
_KEY = "figure"


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """Report what was measured: a name and a value with its unit."""
    return lambda name, value: record_property(_KEY, (name, value))


def seconds_since(began: float) -> str:
    """The seconds since a moment of `time.monotonic`, as a figure."""
    return f"{time.monotonic() - began:.1f} s"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell every figure of the run, however many processes ran it."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    lines = sorted(
        f"{name}: {value}"
        for report in reports
        if report.when == "call"
        for key, (name, value) in report.user_properties
        if key == _KEY
    )
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.line(line)
