"""The courses of several ways on one problem as a drawing: medians, with quartiles around them."""

from collections.abc import Mapping, Sequence
from statistics import median

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 360, 60, 40, 30
_LEGEND = 200
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#999999")  # Okabe and Ito
_POINTS = 60  # along each line


def draw(title: str, ways: Mapping[str, Sequence[Sequence[float]]]) -> str:
    """An SVG; ``ways``: by name, each run's best after each evaluation, all of one length."""
    length = len(next(iter(ways.values()))[0])
    places = sorted({round(number * (length - 1) / _POINTS) for number in range(_POINTS + 1)})
    bands = {
        name: [quartiles([course[place] for course in courses]) for place in places]
        for name, courses in ways.items()
    }
    shown = [value for band in bands.values() for three in band for value in three]
    low, high = min(shown), max(shown)
    reach = high - low or 1.0

    def x_of(place: int) -> float:
        return _LEFT + place / max(1, length - 1) * (_WIDTH - _LEFT - _LEGEND)

    def y_of(value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - low) / reach * (_HEIGHT - _BOTTOM - _TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{_LEFT}" y="18" font-size="14">{title}</text>',
        *(
            f'<text x="{_LEFT - 6}" y="{y_of(value):.0f}" text-anchor="end">{value:.3g}</text>'
            for value in (low, high)
        ),
        f'<text x="{_LEFT}" y="{_HEIGHT - 12}">0</text>',
        f'<text x="{x_of(length - 1):.0f}" y="{_HEIGHT - 12}" text-anchor="end">'
        f"{length - 1} evaluations</text>",
    ]
    for band, colour in zip(bands.values(), _COLOURS, strict=False):
        points = [
            (x_of(place), *map(y_of, three)) for place, three in zip(places, band, strict=True)
        ]
        around = [(x, upper) for x, _, _, upper in points] + [
            (x, lower) for x, lower, _, _ in reversed(points)
        ]
        middle = [(x, usual) for x, _, usual, _ in points]
        parts += [
            f'<polygon points="{_write(around)}" fill="{colour}" opacity="0.15"/>',
            f'<polyline points="{_write(middle)}" fill="none" stroke="{colour}" stroke-width="2"/>',
        ]
    for row, (name, colour) in enumerate(zip(bands, _COLOURS, strict=False)):
        y = _TOP + 20 * row
        x = _WIDTH - _LEGEND + 10
        parts += [
            f'<rect x="{x}" y="{y}" width="12" height="12" fill="{colour}"/>',
            f'<text x="{x + 18}" y="{y + 11}">{name}</text>',
        ]
    return "\n".join([*parts, "</svg>\n"])


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The lower quartile, the median and the upper quartile, of one value at least."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return ordered[round(last / 4)], median(ordered), ordered[round(3 * last / 4)]


def _write(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
