"""A remote that loses commits, refuses for good, or wants another token: real git, by HTTP too."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from loreley.core.jobs import JobState
from loreley.host.failpoints import Failpoint
from tests.support import eventually
from tests.system.git_http import GitServer, git_http_server
from tests.system.stack import PATIENCE_SECONDS, Stack, finished, only_sqlite
from tests.system.whole_run import evolve, require_nothing_burnt

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

REFUSAL = "#!/bin/sh\necho 'error: GH006: Protected branch update failed' >&2\nexit 1\n"


@pytest.fixture(autouse=True)
def _quick(stack: Stack) -> None:
    stack.settings |= {
        "TASKS_WORKER_GRACE_SECONDS": "1",
        "SCHEDULER_PROBE_SECONDS": "0.2",
        "SCHEDULER_CONFIRMATION_SHARE": "0",
    }


@pytest.fixture
def server(stack: Stack) -> Iterator[GitServer]:
    """The remote behind a token, which stands in `.env`."""
    git = ["git", "-C", str(stack.remote), "config", "http.receivepack", "true"]
    subprocess.run(git, check=True)
    with git_http_server(stack.folder, "token-of-before") as found:
        stack.from_env_file.add("WORKER_REPO_REMOTE_URL")
        write_token(stack, found, found.token)
        yield found


def write_token(stack: Stack, server: GitServer, token: str) -> None:
    url = server.url(stack.remote.name, token)
    (stack.folder / ".env").write_text(f"WORKER_REPO_REMOTE_URL={url}\n")


@only_sqlite
@pytest.mark.parametrize("point", [Failpoint.CLAIMED, Failpoint.EVALUATED])
def test_a_git_token_that_is_renewed_in_the_env_file_needs_no_restart(
    stack: Stack, server: GitServer, point: Failpoint
) -> None:
    workers = [
        stack.start_worker(WORKER_REPO_WORKTREE=str(stack.folder / name / "worker-repo"))
        for name in ("first", "second")
    ]
    for worker in workers:
        worker.wait_for("worker online")
    hold = stack.hold(point)
    scheduler = stack.start_scheduler("--max-jobs", "4")
    hold.pid()
    server.token = "token-of-now"
    hold.release()
    scheduler.wait_for("the run pauses (remote)")
    assert "a token in WORKER_REPO_REMOTE_URL" in scheduler.said

    write_token(stack, server, "token-of-now")

    finished(scheduler, *workers)
    said = "".join(process.said for process in stack.processes)
    assert said.count("genetic proposes") == 4
    assert "the run goes on" in scheduler.said
    assert "token-of" not in said
    require_nothing_burnt(stack, 4)


@only_sqlite
def test_row_32_a_push_by_http_that_hangs_dies_with_its_worker(
    stack: Stack, server: GitServer
) -> None:
    worker = stack.start_worker()
    worker.wait_for("worker online")
    server.holds.set()
    scheduler = stack.start_scheduler("--max-jobs", "1", TASKS_WORKER_LEASE_SECONDS="3")
    eventually(lambda: find_processes("git-remote-http"), within=PATIENCE_SECONDS)

    worker.kill()

    eventually(lambda: not find_processes(str(server.port)), within=10)
    server.holds.clear()
    finished(scheduler, stack.start_worker())
    stack.require_whole(jobs_wanted=1)


@only_sqlite
def test_a_remote_that_refuses_for_good_ends_the_run_and_keeps_what_can_be_done_later(
    stack: Stack,
) -> None:
    hook = stack.remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    stack.settings["SCHEDULER_MAX_PAUSE_HOURS"] = "0.002"
    worker = stack.start_worker()
    worker.wait_for("worker online")
    hook.write_text(REFUSAL)
    hook.chmod(0o755)
    scheduler = stack.start_scheduler("--max-jobs", "5")

    assert scheduler.popen.wait(timeout=PATIENCE_SECONDS) == 1
    assert "GH006: Protected branch update failed" in scheduler.said
    assert "look at its message and its rules for branches" in scheduler.said
    with stack.database() as database:
        assert stack.count(database, JobState.FAILED) == 0
    assert worker.said.count("genetic proposes") == 1

    hook.unlink()
    finished(stack.start_scheduler("--max-jobs", "5"), worker)
    assert worker.said.count("genetic proposes") == 5  # the first one was pushed only
    require_nothing_burnt(stack, 5)


@only_sqlite
def test_a_remote_that_refuses_from_the_start_is_told_before_anything_is_paid_for(
    stack: Stack,
) -> None:
    hook = stack.remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(REFUSAL)
    hook.chmod(0o755)

    run = evolve(stack, 5)

    assert run.popen.wait(timeout=PATIENCE_SECONDS) == 1
    assert "GH006: Protected branch update failed" in run.said
    with stack.database() as database:
        assert all(row["claimed_at"] is None for row in stack.jobs(database))


@only_sqlite
@pytest.mark.parametrize("roots_too", [False, True], ids=["elites", "the root too"])
def test_base_commits_that_are_deleted_from_the_remote_burn_few_jobs(
    stack: Stack, roots_too: bool
) -> None:
    """The worker is a new one, which has none of them; a person pushes them again."""
    first = stack.start_worker()
    finished(stack.start_scheduler("--max-jobs", "6"), first)
    first.stop()
    backup = stack.folder / "backup.git"
    git("clone", "--quiet", "--mirror", str(stack.remote), str(backup))
    forget(stack.remote, roots_too=roots_too)
    subprocess.run(["rm", "-rf", str(stack.base_clone), str(stack.worktrees)], check=True)
    worker = stack.start_worker()
    worker.wait_for("worker online")
    scheduler = stack.start_scheduler("--max-jobs", "16")

    worker.wait_for("a commit is neither here nor on the remote", times=2)
    if roots_too:
        scheduler.wait_for("the run pauses (remote): a commit is neither here nor on the remote")
        assert "it may have been deleted" in scheduler.said
    git(f"--git-dir={backup}", "push", "--quiet", "--force", str(stack.remote), "refs/*:refs/*")

    finished(scheduler, worker)
    with stack.database() as database:
        rows = [row for row in stack.jobs(database) if row["ordinal"] >= 0]
    assert not [row for row in rows if row["state"] == JobState.FAILED]
    assert sum(row["state"] == JobState.CANCELLED for row in rows) <= 5
    assert sum(row["state"] == JobState.SUCCEEDED for row in rows) >= 16 - 5
    stack.require_whole()


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True)


def forget(remote: Path, *, roots_too: bool) -> None:
    """Delete the branches of all jobs and what they lead to, and the root if it is to be so."""
    here = f"--git-dir={remote}"
    listed = subprocess.run(
        ["git", here, "for-each-ref", "--format=%(refname)", "refs/heads/evolution"],
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.split():
        git(here, "update-ref", "-d", name)
    if roots_too:
        tree = subprocess.run(
            ["git", here, "commit-tree", "main^{tree}", "-m", "Begin anew"],
            check=True,
            capture_output=True,
            text=True,
        )
        git(here, "update-ref", "refs/heads/main", tree.stdout.strip())
    git(here, "gc", "--quiet", "--prune=now")


def find_processes(word: str) -> list[str]:
    """Command lines of git that hold the word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if "git" in line.partition(" ")[0] and word in line:
            found.append(line)
    return found
