"""The development tools: where they are found, and the commands behind test, lint and check."""

import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loreley.errors import CommandFailed, ConfigError
from loreley.ops.extras import uv

RunCommand = Callable[[Sequence[str]], bool]
"""Runs a command in the project root, showing its output, and tells whether it succeeded."""

_MOST_TEST_PROCESSES = 4  # more only start more servers
_WAITING_TESTS = 1  # of all that run at once, as many as this only wait for something


@dataclass(frozen=True, slots=True)
class TestChoice:
    """Which tests are run, and how."""

    __test__ = False

    keyword: str | None = None
    path: str | None = None
    quick: bool = False
    slow: bool = False
    processes: int = 0  # 0: as many as are useful here
    coverage: bool = False


def python() -> list[str]:
    """The command that runs a Python with the development tools: this one, or one of uv's."""
    if all(map(importlib.util.find_spec, ("pytest", "ruff", "mypy"))):
        return [sys.executable]
    return [*uv(), "run", "--group", "dev", "python"]


def pytest_command(choice: TestChoice) -> list[str]:
    """The command that runs the chosen tests; raises `ConfigError` for a choice of none."""
    if choice.quick and choice.slow:
        raise ConfigError(
            "no test is both quick and slow",
            setting="--quick, --slow",
            fix="use at most one of them",
        )
    useful = (os.cpu_count() or 1) + _WAITING_TESTS
    processes = choice.processes or min(_MOST_TEST_PROCESSES, useful)
    return [
        *(*python(), "-m", "pytest"),
        *(["-n", str(processes), "--dist", "worksteal"] if processes > 1 else []),
        *(["-k", choice.keyword] if choice.keyword else []),
        *(["-m", "not slow"] if choice.quick else []),
        *(["-m", "slow"] if choice.slow else []),
        *(["--cov", "--cov-report=term-missing:skip-covered"] if choice.coverage else []),
        *([choice.path] if choice.path else []),
    ]


def lint_commands(*, fix: bool = False) -> list[list[str]]:
    """The commands that judge format, style and types; with ``fix`` they mend what they can."""
    ruff = [*python(), "-m", "ruff"]
    return [
        [*ruff, "format", *([] if fix else ["--check"]), "."],
        [*ruff, "check", *(["--fix"] if fix else []), "."],
        [*python(), "-m", "mypy"],
    ]


def run_all(commands: Sequence[Sequence[str]], run: RunCommand) -> None:
    """Run every command, whatever becomes of the others; raise `CommandFailed` if one failed."""
    failed = [" ".join(command) for command in commands if not run(command)]
    if failed:
        raise CommandFailed(
            f"{len(failed)} of {len(commands)} checks failed",
            target="; ".join(failed),
            fix="see their output above; `invoke lint --fix` mends format and style",
        )
