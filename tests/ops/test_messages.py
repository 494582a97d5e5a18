"""How a task ends when something fails."""

from pathlib import Path

import pytest

from loreley.ops.messages import failures_as_messages


def test_a_folder_that_cannot_be_made_is_told_without_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended, failures_as_messages():
        Path("/dev/null/logs").mkdir()

    told = capsys.readouterr().err
    assert ended.value.code == 1
    assert told.startswith("error: a file or folder cannot be used\n")
    assert "target:  /dev/null/logs\n" in told
    assert "reason:  Not a directory\n" in told
