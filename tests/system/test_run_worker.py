"""script/run_worker.py and script/run_scheduler.py, started as an operator starts them."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loreley.core.jobs import JobState
from loreley.views.overview import read_overview
from tests.figures import Figure
from tests.services import free_port
from tests.support import PROJECT_ROOT, eventually
from tests.system.stack import BUSY_SECONDS, Stack

WORKER = PROJECT_ROOT / "script" / "run_worker.py"

pytestmark = pytest.mark.slow


def test_help_needs_no_environment() -> None:
    completed = subprocess.run(
        [sys.executable, str(WORKER), "--help"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert completed.returncode == 0
    assert "--log-level" in completed.stdout


def test_wrong_usage_exits_with_2() -> None:
    completed = subprocess.run(
        [sys.executable, str(WORKER), "--no-such-flag"], capture_output=True, check=False
    )

    assert completed.returncode == 2


def test_every_missing_setting_is_named_at_once(tmp_path: Path) -> None:
    completed = subprocess.run(
        [sys.executable, str(WORKER)],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TASKS_REDIS_PORT": "x"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert completed.returncode == 1
    assert "Traceback" not in completed.stderr
    for setting in ("TASKS_REDIS_PORT", "WORKER_REPO_REMOTE_URL", "WORKER_EVALUATOR_PLUGIN"):
        assert f"error: {setting}" in completed.stderr


def test_a_run_ends_with_every_job_in_a_final_state(stack: Stack) -> None:
    worker = stack.start_worker("--log-level", "DEBUG")
    scheduler = stack.start_scheduler("--max-jobs", "12")

    assert scheduler.popen.wait(timeout=90) == 0, scheduler.said + worker.said

    with stack.database() as database:
        overview = read_overview(database)
    assert overview is not None
    assert overview.ended == overview.total == 12
    assert overview.jobs[JobState.SUCCEEDED] >= 6
    assert overview.best is not None
    assert overview.gain is not None
    assert overview.gain > 0
    assert worker.stop() == 0, worker.said
    assert "worker online: queue loreley.evolution" in worker.said
    assert "DEBUG" in worker.said
    logs = list((stack.folder / "logs" / "worker").glob("worker-*.log"))
    assert len(logs) == 1
    assert "worker online" in logs[0].read_text()
    left = [path.name for path in stack.worktrees.iterdir() if not path.name.startswith(".")]
    assert left == []
    branches = subprocess.run(
        ["git", "-C", str(stack.remote), "branch", "--list", "evolution/job/*"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert overview.best.branch in branches
    assert len(branches) == overview.jobs[JobState.SUCCEEDED]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_idle_worker_stops_at_once(stack: Stack, figure: Figure) -> None:
    worker = stack.start_worker()
    worker.wait_for("worker online")
    began = time.monotonic()

    assert worker.stop(within=2.5 + BUSY_SECONDS) == 0

    figure("SIGTERM to the end of an idle worker", f"{time.monotonic() - began:.1f} s")
    assert "worker: stopped" in worker.said


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_wrong_redis_is_one_short_message(stack: Stack) -> None:
    port = free_port()
    worker = stack.start_worker(TASKS_REDIS_URL=f"redis://:secret@127.0.0.1:{port}/0")

    assert worker.popen.wait(timeout=20) == 1
    assert "error: Redis does not answer" in worker.said
    assert f"127.0.0.1:{port}" in worker.said
    assert "secret" not in worker.said
    assert "Traceback" not in worker.said
    [log] = (stack.folder / "logs" / "worker").glob("*.log")
    assert "Traceback" in log.read_text()
    assert "secret" not in log.read_text()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_killed_worker_costs_one_lease(stack: Stack) -> None:
    stack.settings["TASKS_WORKER_LEASE_SECONDS"] = "3"
    (stack.folder / "evaluator" / "judge.py").write_text(
        "import time\nfrom pathlib import Path\n"
        "def evaluate(context):\n"
        "    while Path('" + str(stack.gate) + "').exists(): time.sleep(0.05)\n"
        "    return {'summary': '', 'metrics': [{'name': 'score', 'value': 1.0},"
        " {'name': 'number', 'value': 1.0}]}\n"
    )
    stack.gate.touch()
    first = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", "2")
    first.wait_for("baseline job")
    first.popen.kill()
    stack.gate.unlink()
    second = stack.start_worker()

    assert scheduler.popen.wait(timeout=60) == 0, scheduler.said + second.said
    assert "attempt 2" in second.said
    eventually(lambda: not [p for p in stack.worktrees.iterdir() if not p.name.startswith(".")])
    assert second.stop() == 0
