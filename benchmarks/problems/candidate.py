"""Runs a candidate's program and reads the numbers that it prints."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

_SECONDS = 2.0
_BYTES = 100_000


def read_numbers(argv: list[str], folder: Path, count: int) -> list[float]:
    """So many finite numbers, printed as a list; raises `ValueError`."""
    try:
        done = subprocess.run(
            argv, cwd=folder, capture_output=True, timeout=_SECONDS, check=False, text=True
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"the candidate ran longer than {_SECONDS:g} s") from None
    if done.returncode != 0 or len(done.stdout) > _BYTES:
        raise ValueError(f"exit code {done.returncode}: {done.stderr[-200:]}")
    try:
        numbers = flatten(json.loads(done.stdout))
    except (ValueError, TypeError, RecursionError, OverflowError):
        raise ValueError(f"not a list of numbers: {done.stdout[:100]}") from None
    if len(numbers) != count or not all(math.isfinite(each) for each in numbers):
        raise ValueError(f"{len(numbers)} numbers instead of {count}, or some are not finite")
    return numbers


def run_python(folder: Path, name: str, count: int) -> list[float]:
    """What a program in Python prints."""
    return read_numbers([sys.executable, "-S", "-s", "-B", name], folder, count)


def flatten(value: Any) -> list[float]:
    """The numbers of nested lists in their order."""
    if isinstance(value, list):
        return [number for each in value for number in flatten(each)]
    return [float(value)]


def answer(**figures: float) -> dict[str, Any]:
    """An evaluation of these metrics; of the score more is better."""
    return {"metrics": [{"name": name, "value": value} for name, value in figures.items()]}
