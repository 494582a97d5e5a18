"""Judges a packing of 26 circles in the unit square: the larger the sum of radii, the better.

The candidate runs in a process of its own and is believed nothing but the circles it prints; the
checks are exact, in rational arithmetic, without any tolerance.

Metrics that tell packings apart, with ranges for MAPELITES_MEASURES:

- ``radius_spread:0:0.7:14``, the standard deviation of the radii over their mean;
- ``mean_distance_to_centre:0.3:0.45:10``, how far the centres are from the middle of the square.
"""

import json
import math
import os
import resource
import signal
import statistics
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any, NoReturn, Protocol

CIRCLES = 26
OUTPUT_BYTES = 64 * 1024
CANDIDATE_SECONDS = 20.0
MARGIN_SECONDS = 2.0  # of the evaluator's own time, kept for judging


class Context(Protocol):
    """What the evaluator is called with."""

    worktree: Path
    scratch: Path
    commit: str
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Circle:
    """Finite numbers, the radius above zero."""

    x: float
    y: float
    radius: float


def evaluate(context: Context) -> dict[str, Any]:
    """The candidate's metrics and a picture; raises `ValueError` naming the first violation."""
    seconds = min(CANDIDATE_SECONDS, max(0.1, context.timeout_seconds - MARGIN_SECONDS))
    circles = parsed(printed(context.worktree, context.scratch, seconds))
    require_inside(circles)
    require_apart(circles)
    (context.scratch / "packing.svg").write_text(picture(circles), encoding="utf-8")
    radii = [circle.radius for circle in circles]
    distances = [math.hypot(circle.x - 0.5, circle.y - 0.5) for circle in circles]
    total = math.fsum(radii)
    return {
        "summary": f"{CIRCLES} circles, sum of radii {total:.6f}, "
        f"smallest {min(radii):.4g}, largest {max(radii):.4g}",
        "metrics": [
            {"name": "sum_radii", "value": total, "higher_is_better": True},
            metric("radius_spread", statistics.pstdev(radii) / statistics.fmean(radii)),
            metric("mean_distance_to_centre", statistics.fmean(distances)),
            metric("smallest_radius", min(radii)),
        ],
        "artifacts": [
            {"name": "packing.svg", "path": "packing.svg", "media_type": "image/svg+xml"}
        ],
    }


def metric(name: str, value: float) -> dict[str, Any]:
    """One figure of which neither more nor less is better."""
    return {"name": name, "value": value}


def printed(worktree: Path, scratch: Path, seconds: float) -> bytes:
    """What ``python -m packing`` prints, run in ``worktree`` for at most ``seconds``.

    The candidate may print `OUTPUT_BYTES` and may leave no files.
    """
    before = contents(worktree), contents(scratch)
    out, err = scratch / "candidate.out", scratch / "candidate.err"
    with out.open("xb") as stdout, err.open("xb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-s", "-B", "-m", "packing"],
            cwd=worktree,
            env={"PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "TMPDIR": str(scratch)},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=limit_files,
        )
        try:
            exit_code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise ValueError(f"the candidate ran longer than {seconds:g} s") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    output, complaint = taken(out), taken(err).decode(errors="replace").strip()
    if len(output) >= OUTPUT_BYTES:
        raise ValueError(f"the candidate printed {OUTPUT_BYTES} bytes or more")
    if exit_code != 0:
        last_line = complaint.rpartition("\n")[2][:300]
        raise ValueError(f"the candidate ended with exit code {exit_code}: {last_line}")
    if (contents(worktree), contents(scratch)) != before:
        raise ValueError("the candidate wrote files")
    return output


def limit_files() -> None:
    """Let no file of this process grow beyond the largest output."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT_BYTES, OUTPUT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of everything below ``folder`` but git's own files."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if ".git" not in path.relative_to(folder).parts:
            status = path.lstat()
            found[str(path)] = (status.st_size, status.st_mtime_ns)
    return found


def taken(path: Path) -> bytes:
    """The content of a file of ours, which is deleted."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(OUTPUT_BYTES)
    path.unlink()
    return content


def parsed(output: bytes) -> list[Circle]:
    """The circles that the candidate has printed as JSON, one ``[x, y, radius]`` each."""
    try:
        rows = json.loads(output.decode(), parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the candidate printed no valid JSON: {error}") from None
    if not isinstance(rows, list) or len(rows) != CIRCLES:
        count = len(rows) if isinstance(rows, list) else type(rows).__name__
        raise ValueError(f"expected a list of {CIRCLES} circles, found {count}")
    return [circle(number, row) for number, row in enumerate(rows)]


def refuse_constant(name: str) -> NoReturn:
    """NaN and the infinities are not JSON."""
    raise ValueError(f"{name} is not a number")


def circle(number: int, row: object) -> Circle:
    """Row ``number`` of the answer as a circle."""
    if not isinstance(row, list) or len(row) != 3:
        raise ValueError(f"circle {number} is not a list of x, y and radius")
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in row):
        raise ValueError(f"circle {number} has a value that is no number: {row!r:.80}")
    if not all(abs(value) <= 2 for value in row):
        raise ValueError(f"circle {number} is far outside of the square: {row!r:.80}")
    x, y, radius = map(float, row)
    if radius <= 0:
        raise ValueError(f"circle {number} has radius {radius!r}, expected more than 0")
    return Circle(x, y, radius)


def require_inside(circles: list[Circle]) -> None:
    """Raise `ValueError` for the first circle that crosses the border of the square."""
    for number, each in enumerate(circles):
        x, y, radius = Fraction(each.x), Fraction(each.y), Fraction(each.radius)
        rooms = {"left": x, "right": 1 - x, "lower": y, "upper": 1 - y}
        for side, room in rooms.items():
            if room < radius:
                raise ValueError(
                    f"circle {number} crosses the {side} border by {float(radius - room):.3g}"
                )


def require_apart(circles: list[Circle]) -> None:
    """Raise `ValueError` for the first two circles that overlap; they may touch."""
    for (i, a), (j, b) in combinations(enumerate(circles), 2):
        across = Fraction(a.x) - Fraction(b.x)
        up = Fraction(a.y) - Fraction(b.y)
        reach = Fraction(a.radius) + Fraction(b.radius)
        if across * across + up * up < reach * reach:
            overlap = float(reach) - math.dist((a.x, a.y), (b.x, b.y))
            raise ValueError(f"circles {i} and {j} overlap by {overlap:.3g}")


def picture(circles: list[Circle]) -> str:
    """The packing as an SVG of 600 by 600 pixels, the y axis upwards."""
    shapes = "\n".join(
        f'  <circle cx="{each.x:.6f}" cy="{1 - each.y:.6f}" r="{each.radius:.6f}"/>'
        for each in circles
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="600" '
        'viewBox="-0.01 -0.01 1.02 1.02" fill="#7aa6c2" stroke="#23445a" stroke-width="0.002">\n'
        '  <rect width="1" height="1" fill="#f7f4ec"/>\n'
        f"{shapes}\n</svg>\n"
    )
