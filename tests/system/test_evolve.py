"""`invoke evolve` as a person starts it, and what its last lines say of the run."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from loreley.db.engine import open_database
from tests.core.worker.upstream import Upstream
from tests.db.support import rows
from tests.support import PROJECT_ROOT

pytestmark = pytest.mark.slow

EVALUATOR = '''
"""A program's time as its number tells it: 0.310 s at the root, less is better."""

import random
import runpy

LESS = {"higher_is_better": False}


def evaluate(context):
    number = runpy.run_path(str(context.worktree / "number.py"))["NUMBER"]
    return {
        "metrics": [
            {"name": "seconds", "value": abs(number) / 1000, "unit": "s"} | LESS,
            {"name": "number", "value": number},
        ]
    }


def evaluate_with_noise(context):
    answer = evaluate(context)
    answer["metrics"][0]["value"] *= random.gauss(1, 0.04)
    return answer
'''


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where everything is; not pytest's own, whose path is too long for a socket."""
    with TemporaryDirectory(prefix="lt-") as name:
        yield Path(name)


def invoke(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a task on the project in the folder."""
    (folder / "judge.py").write_text(EVALUATOR)
    return subprocess.run(
        [sys.executable, "-m", "invoke", *arguments],
        cwd=PROJECT_ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "LORELEY_STATE_DIR": str(folder / "state"),
            "LOGS_BASE_DIR": str(folder),
            "WORKER_REPO_REMOTE_URL": str(folder / "upstream" / "remote.git"),
            "WORKER_EVALUATOR_PLUGIN": "judge:evaluate",
            "WORKER_EVALUATOR_PYTHON_PATHS": str(folder),
            "MAPELITES_FITNESS_METRIC": "seconds",
            "MAPELITES_MEASURES": "number:0:1000:20",
            "MAPELITES_REPRODUCIBLE": "true",
            "WORKER_TUNE_SECONDS": "0",
        }
        | settings,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_climbs_down_where_the_evaluator_says_that_less_is_better(folder: Path) -> None:
    Upstream.create(folder / "upstream").commit({"number.py": "NUMBER = 310\n"})

    done = invoke(folder, "evolve", "--jobs", "16", "--workers", "1")

    assert done.returncode == 0, done.stdout + done.stderr
    best = re.search(r"^best +seconds ([\d.]+), from 0.31 at the root", done.stdout, re.M)
    assert best is not None, done.stdout
    assert float(best[1]) < 0.31
    assert re.search(
        r"^fitness +seconds: lower is better, as the evaluator says", done.stdout, re.M
    )
    assert re.search(r"^noise +exact$", done.stdout, re.M)
    assert re.search(r"^gain +confirmed: -0\.\d+ s, without noise", done.stdout, re.M)

    refused = invoke(folder, "doctor", MAPELITES_FITNESS_HIGHER_IS_BETTER="true")
    assert refused.returncode != 0
    assert "it began with False, now it is True" in refused.stdout
    assert "the fitness and the evaluator contradict each other" in refused.stdout


def test_a_noisy_run_says_its_noise_and_measures_again_what_only_seems_better(
    folder: Path,
) -> None:
    Upstream.create(folder / "upstream").commit({"number.py": "NUMBER = 310\n"})
    noisy = {
        "WORKER_EVALUATOR_PLUGIN": "judge:evaluate_with_noise",
        "MAPELITES_MEASURES": "number:-9999:9999:1",
        "SCHEDULER_CONFIRMATION_SHARE": "0",
    }

    done = invoke(folder, "evolve", "--jobs", "16", "--workers", "1", **noisy)
    status = json.loads(invoke(folder, "status", "--json", **noisy).stdout)["experiment"]

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^noise +±0\.0\d+ s \(\d", done.stdout, re.M), done.stdout
    assert status["noise"]["measurements"] >= 5  # more, where an elite was challenged
    assert 0.001 < status["noise"]["spread"] < 0.05
    assert status["objective"]["higher_is_better"] is False
    with closing(open_database(f"sqlite:///{folder / 'state' / 'loreley.db'}")) as database:
        judged = [row for row in rows(database, "commits") if row["score"] is not None]
    assert all(row["error"] > 0 for row in judged if row["score"])
