import sys
from collections.abc import Sequence

import pytest

from development.tools import TestChoice, lint_commands, pytest_command, run_all
from loreley.errors import CommandFailed, ConfigError
from loreley.ops.extras import uv


def test_the_choice_of_tests_is_handed_to_pytest() -> None:
    choice = TestChoice("name", "tests/ops", quick=True, processes=2, coverage=True)
    command = pytest_command(choice)

    assert command[:3] == [sys.executable, "-m", "pytest"]
    assert command[3:] == [
        *("-n", "2", "--dist", "worksteal", "-k", "name", "-m", "not slow"),
        *("--cov", "--cov-report=term-missing:skip-covered", "tests/ops"),
    ]
    assert pytest_command(TestChoice(slow=True, processes=1))[3:] == ["-m", "slow"]


def test_quick_and_slow_at_once_are_refused() -> None:
    with pytest.raises(ConfigError, match="both quick and slow"):
        pytest_command(TestChoice(quick=True, slow=True))


def test_every_check_runs_and_the_failed_ones_are_named() -> None:
    seen: list[str] = []

    def run(command: Sequence[str]) -> bool:
        seen.append(command[0])
        return command[0] != "b"

    run_all([["a"], ["c"]], run)
    with pytest.raises(CommandFailed, match="1 of 3") as raised:
        run_all([["a"], ["b", "x"], ["c"]], run)
    assert seen == ["a", "c", "a", "b", "c"]
    assert "b x" in str(raised.value)


def test_linting_changes_nothing_unless_asked_to() -> None:
    assert [command[-2:] for command in lint_commands()] == [
        ["--check", "."],
        ["check", "."],
        ["-m", "mypy"],
    ]
    assert lint_commands(fix=True)[0][-2:] == ["format", "."]
    assert "--fix" in lint_commands(fix=True)[1]


def test_a_missing_uv_is_reported_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV", "/somewhere/uv")
    assert uv() == ["/somewhere/uv"]
    monkeypatch.delenv("UV")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigError, match="uv is not installed"):
        uv()
