"""The geometry of charts."""

import re

import pytest

from loreley.map_elites.cells import Grid, Measure
from loreley.report.charts import HEIGHT, WIDTH, draw_heat_map, draw_line, locate
from loreley.views.archive_map import IslandMap, MapElite
from loreley.views.charts.cloud import Point
from loreley.views.charts.history import Moment
from loreley.views.score_scale import ScoreScale


def moments(count: int) -> list[Moment]:
    return [Moment(float(number), number, float(number), 1, 0.0) for number in range(count)]


@pytest.mark.parametrize(
    "values",
    [
        [0.0, 1.0, 3.0],
        [5.0, 5.0, 5.0],
        [-1e-12, 0.0, 1e-12],
        [1e200, 2e200, 3e200],
        [0, 0, -7],
        [1e-15, 2e-15, 3e-15],
        [0.3, 0.3, 0.1 + 0.2],
        [1e17, 1e17, 1e17 + 16],
        [0.0, 0.0, 5e-324],
    ],
)
def test_every_point_lies_within_the_chart_between_its_ticks(values: list[float]) -> None:
    chart = draw_line("best", moments(3), values)

    assert chart is not None
    ys = [float(y) for y in re.findall(r"[V ](-?[\d.]+)", chart.path)]
    xs = [float(x) for x in re.findall(r"[MH](-?[\d.]+)", chart.path)]
    assert len(ys) == len(xs) == 3
    assert all(0 <= y <= HEIGHT for y in ys)
    assert all(0 <= x <= WIDTH for x in xs)
    assert 2 <= len(chart.y_ticks) <= 7
    assert all(0 <= tick.at <= HEIGHT for tick in chart.y_ticks)
    assert min(tick.at for tick in chart.y_ticks) <= min(ys)


@pytest.mark.parametrize(
    "values", [[12345.671, 12345.672, 12345.674], [1e-13, 5e-13, 1e-12], [1e6, 1e6 + 0.001, 1e6]]
)
def test_ticks_that_differ_are_labelled_otherwise_and_have_room(values: list[float]) -> None:
    chart = draw_line("best", moments(3), values)

    assert chart is not None
    labels = [tick.label for tick in chart.y_ticks]
    assert len(set(labels)) == len(labels)
    assert chart.left >= 6 * max(map(len, labels))


def test_better_is_higher() -> None:
    chart = draw_line("best", moments(2), [1.0, 2.0])

    assert chart is not None
    first, second = (float(y) for y in re.findall(r"[V ](-?[\d.]+)", chart.path))
    assert second < first


def test_one_point_is_no_line() -> None:
    assert draw_line("best", moments(1), [1.0]) is None
    assert draw_line("best", moments(2), [1.0, float("inf")]) is None


def island(grid: Grid, scores: dict[int, float]) -> IslandMap:
    elites = tuple(
        MapElite(cell, grid.bins_of(cell), "a" * 40, score, score, "subject", 1, 0)
        for cell, score in scores.items()
    )
    return IslandMap(0, (0,), grid, "b" * 40, elites)


def test_a_cell_stands_where_its_measures_are_and_is_shaded_by_its_score() -> None:
    grid = Grid((Measure("x", 0, 1, 4), Measure("y", 0, 1, 3)))
    seen = draw_heat_map(island(grid, {0: 1.0, 11: 5.0}), ScoreScale(1.0, 5.0))

    low, high = seen.squares
    assert (low.x, low.y, low.shade) == (0, 2 * seen.side, 0)
    assert (high.x, high.y, high.shade) == (3 * seen.side, 0, 9)
    assert (seen.width, seen.height) == (4 * seen.side, 3 * seen.side)


def test_one_measure_is_a_row_and_of_three_the_fittest_is_shown() -> None:
    row = draw_heat_map(island(Grid((Measure("x", 0, 1, 5),)), {2: 1.0}), ScoreScale(1.0, 1.0))
    assert (row.rows, row.squares[0].y, row.squares[0].shade, row.y_name) == (1, 0, 9, "")

    grid = Grid((Measure("x", 0, 1, 2), Measure("y", 0, 1, 2), Measure("z", 0, 1, 2)))
    seen = draw_heat_map(island(grid, {0: 1.0, 1: 4.0}), ScoreScale(0.0, 5.0))
    assert [square.elite.score for square in seen.squares] == [4.0]
    assert seen.cells_filled == 2


def test_what_is_written_beside_a_small_map_has_room() -> None:
    grid = Grid((Measure("seconds", 0, 12345.678, 1), Measure("y" * 90, -1e-7, 1e9, 2)))
    seen = draw_heat_map(island(grid, {0: 1.0}), ScoreScale(1.0, 1.0))

    room = seen.width + 2 * seen.beyond_width
    assert room >= 6.5 * len("0" + "12345.7")
    assert seen.height + 2 * seen.beyond_height >= 6.5 * len(seen.y_label)
    assert len(seen.y_name) == 40

    wide = draw_heat_map(island(Grid((Measure("x", 0, 1, 20),)), {2: 1.0}), ScoreScale(1.0, 1.0))
    assert (wide.beyond_width, wide.beyond_height) == (0, 0)


def test_every_evaluation_is_a_point_and_one_far_off_leaves_the_others_their_room() -> None:
    at = moments(3)
    cloud = [(0.0, 1.0 + number / 100) for number in range(40)] + [(1.0, -1e9)]

    chart = draw_line("best", at, [1.0, 2.0, 3.0], cloud)

    assert chart is not None
    assert chart.dots.count("h0") == 41
    alone = draw_line("best", at, [1.0, 2.0, 3.0])
    assert alone is not None
    assert chart.y_ticks == alone.y_ticks
    assert alone.dots == ""


def test_points_lie_between_the_evaluations_of_their_time() -> None:
    at = [Moment(10.0, 0, 1.0, 1, 0.0), Moment(20.0, 10, 1.0, 1, 0.0)]
    found = [Point(time, 1, 5.0, 0.0, "a", "b", 0, "new", False) for time in (5.0, 15.0, 30.0)]

    assert locate(found, at) == [(0.0, 5.0), (5.0, 5.0), (10.0, 5.0)]
    assert locate([], []) == []
