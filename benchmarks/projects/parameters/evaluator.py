"""Judges a controller's parameters by a simulated winter day: comfort, and heat used."""

import math
import runpy
from pathlib import Path
from typing import Any, Protocol

STEP_MINUTES = 5
_NUMBERS = (
    *("PROPORTIONAL", "INTEGRAL", "VALVE_LEAST", "VALVE_MOST", "WINDUP_LIMIT"),
    *("DAY_TARGET", "NIGHT_TARGET", "DAY_BEGINS", "DAY_ENDS", "PREHEAT_MINUTES"),
    *("SENSOR_SMOOTHING", "DEADBAND_TENTHS"),
)
_BOUNDS = {
    "DISPLAY_BRIGHTNESS": (0, 9),
    "DISPLAY_TIMEOUT_SECONDS": (0, 600),
    "DISPLAY_LANGUAGE": (0, 4),
    "REPORT_EVERY_MINUTES": (1, 60),
    "REPORT_RETRIES": (0, 9),
    "REPORT_PORT": (1024, 65535),
    "LOG_LEVEL": (0, 3),
    "LOG_DAYS": (1, 31),
    "DAY_TARGET": (15, 25),
    "NIGHT_TARGET": (10, 25),
    "DAY_BEGINS": (0, 12),
    "DAY_ENDS": (12, 24),
    "PREHEAT_MINUTES": (0, 120),
}


class Context(Protocol):
    """What the evaluator is called with."""

    worktree: Path


def evaluate(context: Context) -> dict[str, Any]:
    """The candidate's metrics; raises `ValueError` for parameters that no controller takes."""
    found = read_numbers(context.worktree / "parameters.py")
    if not 0 <= found["VALVE_LEAST"] < found["VALVE_MOST"] <= 100:
        raise ValueError("the valve's bounds are none")
    if not 0 <= found["SENSOR_SMOOTHING"] < 1 or found["WINDUP_LIMIT"] < 0:
        raise ValueError("the smoothing or the limit is none")
    if not 0 <= found["DAY_BEGINS"] < found["DAY_ENDS"] <= 24:
        raise ValueError("the day ends before it begins")
    discomfort, heat = simulate(found)
    cost = discomfort + 0.4 * heat
    return {
        "summary": f"cost {cost:.4f}: discomfort {discomfort:.4f}, heat {heat:.4f}",
        "metrics": [
            {"name": "cost", "value": cost, "unit": None, "higher_is_better": False},
            {"name": "heat", "value": heat, "unit": None, "higher_is_better": False},
        ],
    }


def read_numbers(path: Path) -> dict[str, float]:
    """The parameters that count; raises `ValueError` where one is missing or no number."""
    try:
        found = runpy.run_path(str(path))
    except Exception as error:
        raise ValueError(f"the file cannot be read: {error}") from error
    for name, (least, most) in _BOUNDS.items():
        if not isinstance(found.get(name), int) or not least <= found[name] <= most:
            raise ValueError(f"{name} is no whole number from {least} to {most}")
    missing = [name for name in _NUMBERS if not isinstance(found.get(name), (int, float))]
    if missing:
        raise ValueError(f"no number: {', '.join(missing)}")
    numbers = {name: float(found[name]) for name in _NUMBERS}
    if not all(map(math.isfinite, numbers.values())):
        raise ValueError("a parameter is not finite")
    return numbers


def simulate(given: dict[str, float]) -> tuple[float, float]:
    """The mean discomfort and the heat of three days in January."""
    room, wall, felt, total, valve = 18.0, 16.0, 18.0, 0.0, 0.0
    discomfort, heat = 0.0, 0.0
    steps = 3 * 24 * 60 // STEP_MINUTES
    for step in range(steps):
        hour = step * STEP_MINUTES / 60 % 24
        outside = 1.0 + 4.0 * math.sin((hour - 9) / 24 * math.tau)
        begins = given["DAY_BEGINS"] - given["PREHEAT_MINUTES"] / 60
        is_day = begins <= hour < given["DAY_ENDS"]
        target = given["DAY_TARGET"] if is_day else given["NIGHT_TARGET"]
        felt = given["SENSOR_SMOOTHING"] * felt + (1 - given["SENSOR_SMOOTHING"]) * room
        difference = target - felt
        if abs(difference) > given["DEADBAND_TENTHS"] / 10:
            limit = given["WINDUP_LIMIT"]
            total = max(-limit, min(limit, total + difference * STEP_MINUTES / 60))
            wanted = given["PROPORTIONAL"] * difference + given["INTEGRAL"] * total
            valve = max(given["VALVE_LEAST"], min(given["VALVE_MOST"], 100 * wanted)) / 100
        room += 0.9 * valve + 0.02 * (wall - room) + 0.012 * (outside - room)
        wall += 0.004 * (room - wall)
        comfortable = 21.5 if 6.5 <= hour < 22.5 else 16.5
        discomfort += max(0.0, comfortable - room) ** 2 + 0.3 * max(0.0, room - comfortable - 2)
        heat += valve
        if not math.isfinite(room):
            raise ValueError("the room boils over")
    return discomfort / steps, heat / steps
