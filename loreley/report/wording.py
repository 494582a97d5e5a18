"""How figures are written in a report."""

from datetime import datetime

from loreley.core.sandbox.child_output import legible


def figure(value: float | None) -> str:
    """A number to six significant digits; a dash for none."""
    return "—" if value is None else f"{value:.6g}"


def gain(value: float | None) -> str:
    """A difference with its sign; a dash for none."""
    return "—" if value is None else f"{value:+.4g}"


def moment(value: datetime | None) -> str:
    """A time in the zone of whoever made the report."""
    return "—" if value is None else f"{value.astimezone():%Y-%m-%d %H:%M:%S %Z}"


def span(seconds: float) -> str:
    """A duration in hours, minutes and seconds."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def one_line(text: str | None, length: int = 160) -> str:
    """Text from outside in one line of at most so many characters."""
    line = " ".join(legible(text or "").split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


FILTERS = {
    "figure": figure,
    "gain": gain,
    "moment": moment,
    "span": span,
    "one_line": one_line,
}
