"""The comparisons as a table for people and as JSON for programs."""

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.comparison import Comparison

_HEAD = ("benchmark", "what", "Loreley", "compared with", "bare", "ratio (min to max)", "target")


def as_table(comparisons: Sequence[Comparison]) -> str:
    """A row for each comparison."""
    return markdown([_HEAD, *map(_row, comparisons)])


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, aligned for a terminal; the first row is its head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, _line(["-" * width for width in widths], widths))
    return "\n".join(lines)


def as_json(comparisons: Sequence[Comparison], search: Mapping[str, Any]) -> str:
    """Everything that was measured, in seconds; ``search`` as that benchmark tells it."""
    return json.dumps(
        {
            "python": platform.python_version(),
            "platform": sys.platform,
            "comparisons": [
                {
                    "benchmark": each.benchmark,
                    "what": each.what,
                    "floor": each.floor,
                    "ours_seconds": each.ours_seconds,
                    "floor_seconds": each.floor_seconds,
                    "ratio": each.ratio,
                    "target": each.target,
                }
                for each in comparisons
            ],
            "search": search,
        },
        indent=2,
    )


def _row(each: Comparison) -> tuple[str, ...]:
    least, most = each.ratios[0], each.ratios[-1]
    return (
        each.benchmark,
        each.what,
        _milliseconds(each.ours),
        each.floor,
        _milliseconds(each.bare),
        f"{each.ratio:.2f} ({least:.2f} to {most:.2f})",
        "" if each.target is None else f"{each.target:g}",
    )


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.{1 if seconds >= 0.01 else 2}f} ms"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"
