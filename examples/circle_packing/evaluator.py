"""Judges a packing of 26 circles in the unit square: the larger the sum of radii, the better.

The candidate runs in a process of its own and is believed nothing but the circles it prints; the
checks are exact, in whole numbers, without any tolerance. Imports are few: each of them is paid for
every candidate.

Metrics that tell packings apart, with ranges for MAPELITES_MEASURES:

- ``radius_spread:0:0.7:14``, the standard deviation of the radii over their mean;
- ``mean_distance_to_centre:0.3:0.45:10``, how far the centres are from the middle of the square.
"""

from __future__ import annotations

import json
import math
import os
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from itertools import combinations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any, NoReturn, Protocol

    class Context(Protocol):
        """What the evaluator is called with."""

        worktree: Path
        scratch: Path
        commit: str
        timeout_seconds: float


Circle = tuple[float, float, float]
"""Its centre, x and y, and its radius, which is above zero; all finite."""

CIRCLES = 26
UNIT = 1 << 1074  # every float is a whole number of such parts
OUTPUT_BYTES = 64 * 1024
CANDIDATE_SECONDS = 20.0
MARGIN_SECONDS = 2.0  # of the evaluator's own time, kept for judging


def evaluate(context: Context) -> dict[str, Any]:
    """The candidate's metrics and a picture; raises `ValueError` naming the first violation."""
    seconds = min(CANDIDATE_SECONDS, max(0.1, context.timeout_seconds - MARGIN_SECONDS))
    circles = parsed(printed(context.worktree, context.scratch, seconds))
    require_inside(circles)
    require_apart(circles)
    (context.scratch / "packing.svg").write_text(picture(circles), encoding="utf-8")
    radii = [radius for _, _, radius in circles]
    distances = [math.hypot(x - 0.5, y - 0.5) for x, y, _ in circles]
    total = math.fsum(radii)
    mean = total / CIRCLES
    spread = math.sqrt(math.fsum((radius - mean) ** 2 for radius in radii) / CIRCLES) / mean
    return {
        "summary": f"{CIRCLES} circles, sum of radii {total:.6f}, "
        f"smallest {min(radii):.4g}, largest {max(radii):.4g}",
        "metrics": [
            {"name": "sum_radii", "value": total, "higher_is_better": True},
            metric("radius_spread", spread),
            metric("mean_distance_to_centre", math.fsum(distances) / CIRCLES),
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
    return x, y, radius


def require_inside(circles: list[Circle]) -> None:
    """Raise `ValueError` for the first circle that crosses the border of the square."""
    for number, each in enumerate(circles):
        x, y, radius = map(in_units, each)
        for side, room in {"left": x, "right": UNIT - x, "lower": y, "upper": UNIT - y}.items():
            if room < radius:
                raise ValueError(
                    f"circle {number} crosses the {side} border by {(radius - room) / UNIT:.3g}"
                )


def require_apart(circles: list[Circle]) -> None:
    """Raise `ValueError` for the first two circles that overlap; they may touch."""
    exact = [tuple(map(in_units, each)) for each in circles]
    for (i, (x, y, radius)), (j, (u, v, other)) in combinations(enumerate(exact), 2):
        if (x - u) ** 2 + (y - v) ** 2 < (radius + other) ** 2:
            overlap = circles[i][2] + circles[j][2] - math.dist(circles[i][:2], circles[j][:2])
            raise ValueError(f"circles {i} and {j} overlap by {overlap:.3g}")


def in_units(value: float) -> int:
    """The same number, without rounding."""
    numerator, denominator = value.as_integer_ratio()
    return numerator * (UNIT // denominator)


def picture(circles: list[Circle]) -> str:
    """The packing as an SVG of 600 by 600 pixels, the y axis upwards."""
    shapes = "\n".join(
        f'  <circle cx="{x:.6f}" cy="{1 - y:.6f}" r="{radius:.6f}"/>' for x, y, radius in circles
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="600" '
        'viewBox="-0.01 -0.01 1.02 1.02" fill="#7aa6c2" stroke="#23445a" stroke-width="0.002">\n'
        '  <rect width="1" height="1" fill="#f7f4ec"/>\n'
        f"{shapes}\n</svg>\n"
    )
