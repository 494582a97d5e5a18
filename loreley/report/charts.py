"""The geometry of a report's charts: numbers in, coordinates out; pure."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from loreley.views.archive_map import IslandMap, MapElite
from loreley.views.charts.cloud import Point
from loreley.views.charts.history import Moment
from loreley.views.score_scale import ScoreScale
from loreley.views.wording import shorten

WIDTH, HEIGHT = 480, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 12, 10, 30
_CHARACTER = 6.5  # how wide a digit of a label is, at most
_LEAST_SHARE = 1e-12  # of a figure: smaller differences are the rounding's
_TICKS = 4
_CELL = 22
_MAP_WIDTH = 440
_LONGEST_NAME = 40
_APART = 3  # characters between the ends of a range


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class LineChart:
    """A figure over the number of evaluations, as a path of steps."""

    title: str
    left: float  # where the plot begins: the labels have room before it
    path: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    dots: str = ""  # a path of single points: the evaluations


@dataclass(frozen=True, slots=True)
class Square:
    """A filled cell of a heat map."""

    x: float
    y: float
    shade: int  # from 0, the worst, to 9
    elite: MapElite


@dataclass(frozen=True, slots=True)
class HeatMap:
    """An island's archive over two of its measures."""

    island: int
    x_name: str
    y_name: str
    columns: int
    rows: int
    side: float
    squares: tuple[Square, ...]
    cells: int
    cells_filled: int  # as many as squares, or more where there are more measures
    x_range: tuple[str, str]
    y_range: tuple[str, str]

    @property
    def y_label(self) -> str:
        """What stands beside the grid, upwards; empty with one measure."""
        low, high = self.y_range
        return f"{low} … {self.y_name} … {high}" if self.y_name else ""

    @property
    def beyond_width(self) -> float:
        """By how much what is written below reaches beyond the grid, on each side."""
        ends = sum(map(len, self.x_range)) + _APART
        return max(0.0, (_CHARACTER * max(ends, len(self.x_name)) - self.width) / 2)

    @property
    def beyond_height(self) -> float:
        """By how much what is written beside it reaches beyond the grid, above and below."""
        return max(0.0, (_CHARACTER * len(self.y_label) - self.height) / 2)

    @property
    def width(self) -> float:
        """Of the grid, in the units of `Square.x`."""
        return self.columns * self.side

    @property
    def height(self) -> float:
        """Of the grid, in the units of `Square.y`."""
        return self.rows * self.side


def locate(points: Sequence[Point], moments: Sequence[Moment]) -> list[tuple[float, float]]:
    """Each judged commit as its number among the evaluations, by its time, and its fitness."""
    times = [moment.at for moment in moments]
    counts = [float(moment.evaluations) for moment in moments]
    return [(_interpolate(point.at, times, counts), point.fitness) for point in points]


def _interpolate(at: float, times: Sequence[float], counts: Sequence[float]) -> float:
    after = min(bisect_left(times, at), len(times) - 1)
    before = max(0, after - 1)
    span = times[after] - times[before]
    share = min(1.0, max(0.0, (at - times[before]) / span)) if span > 0 else 1.0
    return counts[before] + share * (counts[after] - counts[before])


def draw_line(
    title: str,
    moments: Sequence[Moment],
    values: Sequence[float],
    cloud: Sequence[tuple[float, float]] = (),
) -> LineChart | None:
    """The values of the moments as a line, before a cloud of points; None without two of them.

    What is far off from most of the cloud is drawn at the edge.
    """
    points = [
        (moment.evaluations, value)
        for moment, value in zip(moments, values, strict=True)
        if isfinite(value)
    ]
    if len(points) < 2:
        return None
    x_ticks = _choose_ticks(points[0][0], points[-1][0])
    middle = sorted(y for _, y in cloud if isfinite(y))
    middle = middle[len(middle) // 20 : len(middle) - len(middle) // 20]
    seen = [*(y for _, y in points), *middle[:1], *middle[-1:]]
    y_ticks = _choose_ticks(min(seen), max(seen))
    y_labels = _label_ticks(y_ticks)
    left = max(_LEFT, _CHARACTER * max(map(len, y_labels)) + 10)
    x_low, x_high = points[0][0], max(points[-1][0], points[0][0] + 1)
    y_low, y_high = y_ticks[0], y_ticks[-1]

    def x_of(x: float) -> float:
        return round(left + (x - x_low) / (x_high - x_low) * (WIDTH - left - _RIGHT), 1)

    def y_of(y: float) -> float:
        return round(
            HEIGHT - _BOTTOM - (y - y_low) / (y_high - y_low) * (HEIGHT - _TOP - _BOTTOM), 1
        )

    steps = [f"M{x_of(points[0][0])} {y_of(points[0][1])}"]
    steps += [f"H{x_of(x)}V{y_of(y)}" for x, y in points[1:]]
    return LineChart(
        title,
        left,
        "".join(steps),
        tuple(Tick(x_of(x), f"{x:g}") for x in x_ticks if x_low <= x <= x_high),
        tuple(Tick(y_of(y), label) for y, label in zip(y_ticks, y_labels, strict=True)),
        "".join(
            f"M{x_of(min(x_high, max(x_low, x)))} {y_of(min(y_high, max(y_low, y)))}h0"
            for x, y in cloud
            if isfinite(y)
        ),
    )


def draw_heat_map(island: IslandMap, scale: ScoreScale) -> HeatMap:
    """An island over its first two measures, its scores shaded by ``scale``.

    Where more measures make several cells of one square, the fittest is shown.
    """
    measures = island.grid.measures
    x, y = measures[0], measures[1] if len(measures) > 1 else None
    columns, rows = x.bins, y.bins if y else 1
    side = min(_CELL, _MAP_WIDTH / max(columns, rows))
    best: dict[tuple[int, int], MapElite] = {}
    for elite in sorted(island.elites, key=lambda each: each.score):
        best[elite.bins[0], elite.bins[1] if y else 0] = elite
    return HeatMap(
        island=island.island,
        x_name=shorten(x.name, _LONGEST_NAME),
        y_name=shorten(y.name, _LONGEST_NAME) if y else "",
        columns=columns,
        rows=rows,
        side=side,
        squares=tuple(
            Square(column * side, (rows - 1 - row) * side, scale.step(elite.score), elite)
            for (column, row), elite in best.items()
        ),
        cells=island.grid.cells,
        cells_filled=len(island.elites),
        x_range=(f"{x.low:g}", f"{x.high:g}"),
        y_range=(f"{y.low:g}", f"{y.high:g}") if y else ("", ""),
    )


def _choose_ticks(low: float, high: float) -> list[float]:
    """Round numbers that enclose the range; at least two, all different."""
    largest = max(abs(low), abs(high))
    if high - low <= max(largest * _LEAST_SHARE, 1e-300):
        pad = largest * 0.1 if largest > 1e-290 else 1.0
        low, high = low - pad, high + pad
    raw = (high - low) / _TICKS
    power = 10.0 ** floor(log10(raw))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= raw * 0.999)
    first, last = floor(low / step), ceil(high / step)
    return [float(f"{number * step:.15g}") for number in range(first, last + 1)]


def _label_ticks(ticks: Sequence[float]) -> list[str]:
    """The ticks with as many digits as tell them apart, six at least."""
    for digits in range(6, 17):
        labels = [f"{tick:.{digits}g}" for tick in ticks]
        if len(set(labels)) == len(labels):
            break
    return labels
