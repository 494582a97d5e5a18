"""What ends a process, in its log and on stderr; and what its settings are warned of."""

from pathlib import Path

import pytest
from loguru import logger

from loreley.errors import ConfigError, ServiceUnavailable
from loreley.logs import WARNINGS_PRINTED, log_misspelt_settings, report_failure
from tests.log_sinks import SECRET, own_sinks, start

__all__ = ["own_sinks"]


def fail() -> None:
    try:
        raise ValueError(f"cannot reach redis://user:{SECRET}@host/0")
    except ValueError as error:
        raise ServiceUnavailable("no answer", target="redis://host/0") from error


@pytest.mark.parametrize(("level", "on_stderr"), [("INFO", False), ("DEBUG", True)])
def test_a_traceback_is_for_the_file_and_at_debug_for_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], level: str, on_stderr: bool
) -> None:
    path = start(tmp_path, level)

    try:
        fail()
    except ServiceUnavailable as error:
        report_failure(error)

    said, written = capsys.readouterr().err, path.read_text()
    assert "Traceback" in written
    assert "raise ServiceUnavailable" in written
    assert ("Traceback" in said) is on_stderr
    assert said.startswith("error: no answer\n  target:  redis://host/0\n")
    assert SECRET not in said + written
    assert "redis://***@host/0" in written
    if not on_stderr:
        assert said.count("no answer") == 1


def test_an_unforeseen_failure_is_a_block_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = start(tmp_path)

    try:
        raise ZeroDivisionError(f"at postgresql://u:{SECRET}@host/db")
    except ZeroDivisionError as error:
        report_failure(error)

    said = capsys.readouterr().err
    assert said.splitlines() == [
        "error: unexpected failure",
        "  reason:  ZeroDivisionError: at postgresql://***@host/db",
        "  fix:     the log file holds the traceback; please report it",
    ]
    assert "Traceback" in path.read_text()
    assert SECRET not in path.read_text()


def test_a_failure_before_there_is_a_log_is_reported_all_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report_failure(ConfigError("not set", setting="X"))

    assert capsys.readouterr().err == "error: not set\n  setting: X\n"


def test_values_of_variables_never_reach_a_traceback(tmp_path: Path) -> None:
    path = start(tmp_path, "TRACE")
    password = SECRET

    try:
        int(password[:0])
    except ValueError:
        logger.exception("failed")

    assert "Traceback" in path.read_text()
    assert SECRET not in path.read_text()


@pytest.mark.parametrize("was_printed", [False, True])
def test_a_warning_of_a_misspelt_setting_is_printed_once(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    was_printed: bool,
) -> None:
    monkeypatch.setenv("MAPELITES_MEASURE", "x")
    if was_printed:
        monkeypatch.setenv(WARNINGS_PRINTED, "yes")
    path = start(tmp_path)

    log_misspelt_settings()

    warning = "MAPELITES_MEASURE in the environment is no setting"
    assert warning in path.read_text()
    assert (warning in capsys.readouterr().err) is not was_printed
