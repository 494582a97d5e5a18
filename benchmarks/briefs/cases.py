"""The fixes whose files a brief is to show; data."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CASES = Path(__file__).with_name("cases.toml")


@dataclass(frozen=True, slots=True)
class Case:
    """A fix that a package tells of: its words, and what it changed of the version before."""

    package: str
    version: str
    goal: str
    file: str
    lines: tuple[range, ...]  # counted from 0


def read_cases() -> Sequence[Case]:
    """All of them, in the order of the file."""
    return [_to_case(each) for each in tomllib.loads(_CASES.read_text("utf-8"))["case"]]


def _to_case(mapping: dict[str, Any]) -> Case:
    lines = tuple(range(first - 1, last) for first, last in mapping["lines"])
    return Case(mapping["package"], mapping["version"], mapping["goal"], mapping["file"], lines)
