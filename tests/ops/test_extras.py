"""Tasks whose libraries are not installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loreley.ops.extras import require_extra
from tests.support import PROJECT_ROOT

pytestmark = pytest.mark.slow


def asked_for(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`invoke ui` where Starlette is missing."""
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['starlette'] = None\n")
    return subprocess.run(
        [sys.executable, "-m", "invoke", "ui", "--port", "0"],
        cwd=PROJECT_ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "PYTHONPATH": str(folder),
            "LORELEY_STATE_DIR": str(folder / "state"),
        }
        | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_uv_runs_the_same_task_with_what_is_missing(tmp_path: Path) -> None:
    uv = tmp_path / "uv"
    uv.write_text('#!/bin/sh\necho "$@"\n')
    uv.chmod(0o755)

    done = asked_for(tmp_path, UV=str(uv))

    assert (done.returncode, done.stdout) == (0, "run --extra ui invoke ui --port 0\n")
    assert "installing what is missing: starlette" in done.stderr


def test_what_uv_did_not_bring_is_reported_instead_of_tried_for_ever(tmp_path: Path) -> None:
    done = asked_for(tmp_path, LORELEY_EXTRA_TRIED="ui")

    assert done.returncode == 1
    assert "uv sync --extra ui" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_installed_is_used() -> None:
    require_extra("ui", "starlette", "jinja2")
