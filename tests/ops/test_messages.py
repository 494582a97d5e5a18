"""How a task ends when something fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loreley.ops.messages import failures_as_messages
from tests.support import PROJECT_ROOT


def test_a_folder_that_cannot_be_made_is_reported_without_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended, failures_as_messages():
        Path("/dev/null/logs").mkdir()

    told = capsys.readouterr().err
    assert ended.value.code == 1
    assert told.startswith("error: a file or folder cannot be used\n")
    assert "target:  /dev/null/logs\n" in told
    assert "reason:  Not a directory\n" in told


def test_what_the_terminal_cannot_write_is_escaped() -> None:
    code = (
        "from loreley.ops.messages import failures_as_messages\n"
        "with failures_as_messages(): print('1 \\u00b7 2 \\u2581')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT_ROOT,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, b"1 \xb7 2 \\u2581\n")
