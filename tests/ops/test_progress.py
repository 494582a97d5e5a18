"""The live line: what it says, and what it leaves out where there is little room."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from loreley.core.jobs import JobState
from loreley.map_elites.objective import Objective
from loreley.ops.progress import Show, describe, live_line
from loreley.views.gains import Gain
from loreley.views.overview import Champion, Overview


def overview(ended: int) -> Overview:
    jobs = dict.fromkeys(JobState, 0)
    jobs |= {JobState.SUCCEEDED: ended - 30, JobState.FAILED: 10, JobState.REJECTED: 20}
    best = Champion("b" * 40, 0.959845, None, "change", "", 7)
    return Overview("a" * 40, Objective("score"), jobs, 1, (), None, best, (), None, 17, 0.0, 50)


def drawn(width: int, ended: int = 240, goal: int = 1000) -> str:
    """The last line that a terminal of so many columns shows."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    with live_line(goal, console) as show:
        show(overview(ended - 1))
        show(overview(ended))
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().replace("\r", "\n").split("\n")
    return [line for line in lines if "/" in line][-1]


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_bar_count_and_time_left_are_never_left_out(width: int) -> None:
    line = drawn(width)

    _, shown = line.split("evolving ")
    assert shown.startswith("━━━━╸")
    assert shown[20:].startswith("  240/1000 ")
    assert shown.endswith(" left")
    assert len("evolving ") + len(shown) <= width


@pytest.mark.parametrize(
    ("width", "kept", "gone"),
    [
        (60, [], ["best", "cells", "failed", "rejected"]),
        (80, ["best 0.959845"], ["cells", "failed", "rejected"]),
        (160, ["10 failed", "20 rejected", "best 0.959845", "17 cells filled", "jobs/min"], []),
    ],
)
def test_what_fits_least_is_left_out_first(width: int, kept: list[str], gone: list[str]) -> None:
    line = drawn(width)

    assert [words for words in kept if words not in line] == []
    assert [words for words in gone if words in line] == []


def test_a_line_of_any_length_says_everything() -> None:
    assert describe(overview(240), 12.0, 1000) == (
        "10 failed · 20 rejected · best 0.959845 · 17 cells filled · 12 jobs/min · 1:03:20 left"
    )


def test_what_a_best_is_worth_goes_before_the_best_itself() -> None:
    unsure = replace(overview(240), best_gain=Gain("not confirmed", "not confirmed: in the noise"))

    assert "best 0.959845, not confirmed" in describe(unsure, 12.0, 1000)
    short = describe(unsure, 12.0, 1000, width=45)
    assert short == "best 0.959845, not confirmed · 1:03:20 left"


def test_without_a_best_that_is_said() -> None:
    assert "no best yet" in describe(replace(overview(240), best=None), None, 1000)


def test_a_run_that_cannot_be_read_leaves_the_line_as_it_is() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    with live_line(10, console) as show:
        said: Show = show
        said(None)
