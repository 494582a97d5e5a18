"""An example's command line, as a person types it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from examples.evol_circle_packing import EXAMPLE
from tests.support import PROJECT_ROOT


def circle_packing(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The example, started with nothing configured and all that it keeps in ``folder``."""
    return subprocess.run(
        [sys.executable, "examples/evol_circle_packing.py", *arguments],
        cwd=PROJECT_ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(folder),
            "LORELEY_STATE_DIR": str(folder / "state"),
            "LOGS_BASE_DIR": str(folder),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_loreleys_packages_it_says_how_to_get_them(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['pydantic'] = None\n")

    done = circle_packing(tmp_path)

    assert done.returncode == 1
    assert "uv run" in done.stderr
    assert "Traceback" not in done.stderr
