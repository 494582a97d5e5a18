"""One judge: a host that judges otherwise takes no job, and a changed evaluator is noticed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from loreley.core.jobs import JobState
from loreley.views.overview import read_overview
from tests.support import PROJECT_ROOT, eventually
from tests.system.stack import PATIENCE_SECONDS, Process, Stack, finished, only_sqlite

STALE = """
def evaluate(context):
    return {
        "summary": "99 million",
        "metrics": [{"name": "score", "value": 99000000}, {"name": "number", "value": 1}],
    }
"""

pytestmark = pytest.mark.slow


def write_stale_evaluator(stack: Stack) -> Path:
    """Another checkout of the evaluator, which finds everything marvellous."""
    folder = stack.folder / "stale"
    folder.mkdir()
    (folder / "judge.py").write_text(STALE)
    return folder


def wait_for_judged(stack: Stack, count: int) -> None:
    with stack.database() as database:
        eventually(
            lambda: stack.count(database, JobState.SUCCEEDED) >= count, within=PATIENCE_SECONDS
        )


def ending(process: Process) -> int:
    return process.popen.wait(timeout=PATIENCE_SECONDS)


def task(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "invoke", *arguments],
        env=stack.environment(),
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_host_with_a_stale_evaluator_is_refused_before_it_takes_a_job(stack: Stack) -> None:
    sound = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", "12")
    wait_for_judged(stack, 2)

    stale = stack.start_worker(WORKER_EVALUATOR_PYTHON_PATHS=str(write_stale_evaluator(stack)))

    assert ending(stale) == 1
    assert "error: this host judges otherwise than the experiment does" in stale.said
    assert "files code 0/judge.py: " in stale.said
    assert "invoke rejudge" in stale.said
    assert "worker online" not in stale.said
    finished(scheduler, sound)
    stack.require_whole(jobs_wanted=12)
    with stack.database() as database:
        overview = read_overview(database)
        assert {job["worker"].rpartition(":")[2] for job in stack.jobs(database)} == {
            str(sound.popen.pid)
        }
    assert overview is not None
    assert overview.best is not None
    assert overview.best.fitness <= 0
    assert overview.judge is not None
    assert f"judge       {overview.judge}" in task(stack, "status").stdout


@only_sqlite
def test_an_evaluator_that_changes_while_a_worker_runs_ends_the_worker_and_not_the_job(
    stack: Stack,
) -> None:
    judge = stack.folder / "evaluator" / "judge.py"
    sound = judge.read_text()
    first = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", "8")
    wait_for_judged(stack, 2)

    judge.write_text(STALE)

    assert ending(first) == 1
    assert "error: this host judges otherwise than the experiment does" in first.said
    doctor = task(stack, "doctor", "--quick", "--json")
    [found] = [each for each in json.loads(doctor.stdout) if each["name"] == "judge"]
    assert found["verdict"] == "bad"
    assert "files code 0/judge.py" in found["seen"]
    judge.write_text(sound)
    finished(scheduler, stack.start_worker())
    stack.require_whole(jobs_wanted=8)
    with stack.database() as database:
        jobs = stack.jobs(database)
        overview = read_overview(database)
    assert all(job["uncounted_attempts"] <= 1 for job in jobs)
    assert any(job["uncounted_attempts"] for job in jobs)
    assert overview is not None
    assert overview.best is not None
    assert overview.best.fitness <= 0


@only_sqlite
def test_an_evaluator_that_is_changed_on_purpose_judges_root_and_elites_anew(
    stack: Stack,
) -> None:
    judge = stack.folder / "evaluator" / "judge.py"
    first = stack.start_worker()
    finished(stack.start_scheduler("--max-jobs", "8"), first)
    first.stop()
    judge.write_text(judge.read_text().replace("-abs(value - 100.0)", "1000.0 - value"))

    refused = stack.start_worker()
    assert ending(refused) == 1
    asked = task(stack, "rejudge")
    assert asked.returncode == 1
    assert "differs   files code 0/judge.py: " in asked.stdout
    assert "run `invoke rejudge --yes`" in asked.stderr
    assert task(stack, "rejudge", "--dry-run").returncode == 0
    done = task(stack, "rejudge", "--yes")
    assert done.returncode == 0, done.stderr
    assert "commits are to be measured anew" in task(stack, "status").stdout

    finished(stack.start_scheduler("--max-jobs", "10"), stack.start_worker())
    stack.require_whole(jobs_wanted=10)
    with stack.database() as database:
        overview = read_overview(database)
    assert overview is not None
    assert overview.root is not None
    assert overview.root.fitness == 999.0
    assert overview.best is not None
    assert overview.best.fitness >= 999.0
    assert "nothing to do" in task(stack, "rejudge").stdout
