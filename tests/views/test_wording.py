"""How figures and times are written, on the dashboard and in a report."""

import math
from datetime import UTC, datetime

import pytest

from loreley.views.wording import clock, clock_and_zone, duration, figure, shorten


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "—"), (1234.0, "1,234"), (1e9, "1e+09"), (2.6358312, "2.63583"), (math.inf, "inf")],
)
def test_a_figure_has_six_digits_and_whole_numbers_have_all(value: float, text: str) -> None:
    assert figure(value) == text


def test_a_duration_has_the_two_units_that_matter() -> None:
    seconds = (0.25, 5, 75, 7260, 200_000, math.nan)
    words = ["250 ms", "5.0 s", "1 min 15 s", "2 h 1 min", "2 days 7 h", "—"]
    assert [duration(each) for each in seconds] == words


def test_a_moment_in_a_file_that_others_read_has_its_zone() -> None:
    moment = datetime(2026, 11, 26, tzinfo=UTC)

    assert clock_and_zone(moment).startswith(f"{clock(moment)} ")
    assert clock_and_zone(None) == clock(None) == "—"


def test_text_from_outside_becomes_shorten_of_bounded_length() -> None:
    assert shorten("two\nlines \x1b[31mred") == "two lines red"
    assert shorten("x" * 9, 5) == "xxxx…"
    assert shorten(None) == ""
