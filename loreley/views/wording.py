"""How figures, times, sizes and text from outside are written for people."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from loreley.core.sandbox.child_output import one_line
from loreley.map_elites.plateaus import Plateau

_UNITS = ("B", "KiB", "MiB", "GiB")
_SHOWN_PLATEAUS = 3


def figure(value: float | None, digits: int = 6) -> str:
    """A number to so many significant digits; a dash for none."""
    if value is None:
        return "—"
    if math.isfinite(value) and value == int(value) and abs(value) < 10**digits:
        return f"{int(value):,}"
    return f"{value:.{digits}g}"


def gain(value: float | None) -> str:
    """A difference with its sign."""
    return "—" if value is None else f"{value:+.4g}"


def duration(seconds: float | None) -> str:
    """A time span in its two largest units."""
    if seconds is None or not math.isfinite(seconds):
        return "—"
    if seconds < 1:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} days {hours % 24} h"


def clock(moment: datetime | float | None) -> str:
    """A moment in the server's own time zone."""
    if moment is None:
        return "—"
    known = moment if isinstance(moment, datetime) else datetime.fromtimestamp(moment, UTC)
    return f"{known.astimezone():%Y-%m-%d %H:%M:%S}"


def clock_and_zone(moment: datetime | None) -> str:
    """A moment in the zone of whoever wrote it down, with the zone: others may read it."""
    return clock(moment) if moment is None else f"{clock(moment)} {moment.astimezone():%Z}"


def size(count: int) -> str:
    """A number of bytes."""
    value = float(count)
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError


def dollars(value: float) -> str:
    """An amount of US dollars."""
    return f"${value:,.2f}" if value >= 1 or not value else f"${value:.4f}"


def shorten(text: str | None, length: int = 160) -> str:
    """Text from outside in one line of at most so many characters."""
    line = one_line(text or "")
    return line if len(line) <= length else f"{line[: length - 1]}…"


def commit(name: str | None) -> str:
    """The beginning of a commit id, as git shows it."""
    return (name or "")[:12]


def plateaus(all_of_them: Sequence[Plateau]) -> str:
    """During which jobs they were; the latest of them."""
    words = [
        f"since {each.begin}" if each.end is None else f"{each.begin} to {each.end}"
        for each in all_of_them[-_SHOWN_PLATEAUS:]
    ]
    return ", ".join(words)


def tabulate(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows as aligned lines; one whose last cell is empty may be wider than its columns."""
    widths = [max(len(row[i]) for row in rows if row[-1]) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


FILTERS = {
    "plateaus": plateaus,
    "figure": figure,
    "gain": gain,
    "duration": duration,
    "clock": clock,
    "clock_and_zone": clock_and_zone,
    "size": size,
    "dollars": dollars,
    "shorten": shorten,
    "commit": commit,
}
