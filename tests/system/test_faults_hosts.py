"""Disks that fill, folders that somebody deletes, one broken host: no job is burnt for them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from loreley.core.jobs import JobState
from loreley.host.failpoints import Failpoint
from tests.support import eventually
from tests.system.faults import fill, small_filesystem
from tests.system.stack import PATIENCE_SECONDS, Stack, finished, only_sqlite
from tests.system.whole_run import require_nothing_burnt

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def _quick(stack: Stack) -> None:
    stack.settings |= {
        "TASKS_WORKER_GRACE_SECONDS": "1",
        "SCHEDULER_PROBE_SECONDS": "0.2",
        "SCHEDULER_CONFIRMATION_SHARE": "0",
    }


@only_sqlite
@pytest.mark.parametrize("point", [Failpoint.LEASED, Failpoint.PROPOSED, Failpoint.COMMITTED])
def test_a_disk_that_fills_and_empties_again_costs_no_job(stack: Stack, point: Failpoint) -> None:
    """The job goes back and says why; it runs again as soon as there is room."""
    with small_filesystem(stack.folder / "small", "8m") as small:
        stack.settings["WORKER_REPO_WORKTREE"] = str(small / "worker-repo")
        worker = stack.start_worker()
        scheduler = stack.start_scheduler("--max-jobs", "4")
        hold = stack.hold(point)
        hold.pid()
        filler = fill(small)
        hold.release()
        worker.wait_for("back to the queue (fault: host)")
        filler.unlink()

        finished(scheduler, worker)
        assert "No space left on device" in worker.said or "is full" in worker.said
        require_nothing_burnt(stack, 4)
        worker.stop()


@only_sqlite
@pytest.mark.parametrize("point", [Failpoint.CLAIMED, Failpoint.PUSHED])
def test_a_disk_of_the_database_and_the_logs_that_fills_costs_no_job(
    stack: Stack, point: Failpoint
) -> None:
    with small_filesystem(stack.folder / "small", "16m") as small:
        stack.database_url = f"sqlite:///{small / 'loreley.db'}"
        stack.settings["LOGS_BASE_DIR"] = str(small)
        worker = stack.start_worker()
        scheduler = stack.start_scheduler("--max-jobs", "4")
        hold = stack.hold(point)
        hold.pid()
        filler = fill(small)
        hold.release()
        eventually(
            lambda: "waiting for a service" in worker.said + scheduler.said,
            within=PATIENCE_SECONDS,
        )
        filler.unlink()

        finished(scheduler, worker)
        assert "Traceback" not in worker.said + scheduler.said
        require_nothing_burnt(stack, 4)
        worker.stop()


LOUD = """#!/bin/sh
set -e
head -c 100000 /dev/zero
echo "NUMBER = $(date +%N | sed s/^0*//).0" > number.py
"""


@pytest.mark.parametrize(
    ("database_url", "agent"),
    [("sqlite", "genetic"), ("sqlite", "command"), ("postgresql", "command")],
    indirect=["database_url"],
)
def test_row_37_a_full_tmpdir_is_named_and_costs_no_job(stack: Stack, agent: str) -> None:
    with small_filesystem(stack.folder / "small", "4m") as small:
        if agent == "command":
            own_agent(stack, LOUD)
        judge = stack.folder / "evaluator" / "judge.py"
        loud = judge.read_text().replace("    value =", "    print('.' * 100_000)\n    value =")
        judge.write_text(loud)
        worker = stack.start_worker(TMPDIR=str(small))
        worker.wait_for("worker online")
        filler = fill(small)
        scheduler = stack.start_scheduler("--max-jobs", "3")

        scheduler.wait_for("the run pauses (host)")
        filler.unlink()

        finished(scheduler, worker)
        assert str(small) in worker.said
        assert "free some disk space" in scheduler.said
        assert "exit code 120" not in scheduler.said
        require_nothing_burnt(stack, 3)
        worker.stop()


FLOOD = """#!/bin/sh
if mkdir "$HOME/taken" 2>/dev/null; then
    while :; do n=$((n + 1)); head -c 100000 /dev/zero > "piece-$n" || exit 1; done
fi
echo "NUMBER = $(date +%N | sed s/^0*//).0" > number.py
"""


def test_row_31_an_agent_that_floods_the_disk_costs_its_own_job_only(stack: Stack) -> None:
    with small_filesystem(stack.folder / "small", "96m") as small:
        home = stack.folder / "agent-home"
        home.mkdir()
        own_agent(stack, FLOOD)
        stack.settings |= {
            "WORKER_REPO_WORKTREE": str(small / "worker-repo"),
            "WORKER_AGENT_HOME": str(home),
        }
        workers = [stack.start_worker() for _ in range(2)]
        for worker in workers:
            worker.wait_for("worker online")

        finished(stack.start_scheduler("--max-jobs", "6"), *workers)

        with stack.database() as database:
            rows = [row for row in stack.jobs(database) if row["ordinal"] >= 0]
        [flood] = [row for row in rows if row["state"] != JobState.SUCCEEDED]
        assert flood["state"] == JobState.FAILED
        assert "wrote too much to the disk" in flood["failure"]
        assert "No space left" not in "".join(worker.said for worker in workers)
        stack.require_whole(jobs_wanted=6)
        for worker in workers:
            worker.stop()


PLACES: dict[str, Callable[[Stack], list[Path]]] = {
    "the base clone": lambda stack: [stack.base_clone],
    "the worktrees": lambda stack: [stack.worktrees],
    "both": lambda stack: [stack.base_clone, stack.worktrees],
    "TMPDIR": lambda stack: [stack.folder / "tmp"],
    "all": lambda stack: [stack.base_clone, stack.worktrees, stack.folder / "tmp"],
}


@pytest.mark.parametrize(
    ("database_url", "place", "point"),
    [
        ("sqlite", "both", None),
        ("sqlite", "TMPDIR", None),
        ("sqlite", "all", Failpoint.LEASED),
        ("postgresql", "all", Failpoint.LEASED),
        ("sqlite", "the worktrees", Failpoint.PROPOSED),
        ("sqlite", "TMPDIR", Failpoint.COMMITTED),
        ("sqlite", "the base clone", Failpoint.EVALUATED),
    ],
    indirect=["database_url"],
)
def test_row_34_a_folder_that_somebody_deletes_is_made_anew(
    stack: Stack, place: str, point: Failpoint | None
) -> None:
    worker = stack.start_worker()
    worker.wait_for("worker online")
    hold = stack.hold(point) if point else None
    scheduler = stack.start_scheduler("--max-jobs", "3") if hold else None
    if hold:
        hold.pid()
    subprocess.run(["rm", "-rf", *map(str, PLACES[place](stack))], check=True)
    if hold:
        hold.release()

    finished(scheduler or stack.start_scheduler("--max-jobs", "3"), worker)
    assert "a defect of Loreley's own" not in worker.said
    require_nothing_burnt(stack, 3)


@only_sqlite
def test_one_broken_host_among_four_goes_offline_and_the_run_goes_on(
    stack: Stack, tmp_path: Path
) -> None:
    good = [stack.start_worker() for _ in range(3)]
    broken = stack.start_worker(
        TMPDIR=str(tmp_path / "gone"), WORKER_REPO_WORKTREE=str(tmp_path / "other" / "worker-repo")
    )
    for worker in (*good, broken):
        worker.wait_for("worker online")
    (tmp_path / "other" / "worker-repo").rename(tmp_path / "moved")
    (tmp_path / "other" / "worker-repo").write_text("in the way")
    scheduler = stack.start_scheduler("--max-jobs", "40")

    eventually(lambda: not broken.runs or not scheduler.runs, within=PATIENCE_SECONDS)

    finished(scheduler, *good)
    assert broken.popen.wait(timeout=30) == 1
    assert "fails again and again where others do not" in broken.said
    assert "the run pauses" not in scheduler.said
    with stack.database() as database:
        assert stack.count(database, JobState.FAILED) == 0


def own_agent(stack: Stack, text: str) -> None:
    """Let a shell script be the agent."""
    script = stack.folder / "agent.sh"
    script.write_text(text)
    script.chmod(0o755)
    stack.settings |= {"WORKER_AGENT": "command", "WORKER_AGENT_COMMAND": str(script)}
