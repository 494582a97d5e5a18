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


@pytest.mark.parametrize("arguments", [("--workers", "-1"), ("--jobs", "-1"), ("--jobs", "many")])
def test_what_cannot_be_counted_is_wrong_usage(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = circle_packing(tmp_path, *arguments)

    assert done.returncode == 2
    assert f"argument {arguments[0]}" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_workers_means_one_for_each_core() -> None:
    assert EXAMPLE.arguments(["--workers", "0"]).workers == os.cpu_count()


@pytest.mark.slow
def test_the_level_of_the_log_is_the_whole_runs(tmp_path: Path) -> None:
    done = circle_packing(tmp_path, "--log-level", "loud")

    assert done.returncode == 1
    assert "setting: LOG_LEVEL='loud'" in done.stderr
