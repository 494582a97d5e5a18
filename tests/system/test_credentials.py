"""Passwords of services that refuse them: in no message, log line, traceback or process title."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.services import free_port, redis_server, silent_server
from tests.support import PROJECT_ROOT, eventually

SECRET = "hunter2"

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(tmp_path: Path, redis_url: str) -> dict[str, str]:
    """A worker and a scheduler could start with these."""
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "remote")], check=True)
    (tmp_path / "judge.py").write_text("def evaluate(context): ...\n")
    return {
        "TASKS_REDIS_URL": redis_url,
        "DATABASE_URL": f"sqlite:///{tmp_path}/loreley.db",
        "WORKER_REPO_REMOTE_URL": str(tmp_path / "remote"),
        "WORKER_REPO_WORKTREE": str(tmp_path / "clone"),
        "WORKER_EVALUATOR_PLUGIN": "judge:evaluate",
        "WORKER_EVALUATOR_PYTHON_PATHS": str(tmp_path),
        "MAPELITES_FITNESS_METRIC": "score",
    }


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **settings}


def command(role: str, *arguments: str) -> list[str]:
    return [sys.executable, str(PROJECT_ROOT / "script" / f"run_{role}.py"), *arguments]


def logs(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.glob("logs/*/*.log"))


@pytest.mark.parametrize(("role", "level"), [("worker", "TRACE"), ("scheduler", "INFO")])
@pytest.mark.parametrize(
    ("name", "url", "setting"),
    [
        ("TASKS_REDIS_URL", "redis://user:{secret}@127.0.0.1:{guarded}/0", "TASKS_REDIS_URL"),
        ("DATABASE_URL", "postgresql://u:{secret}@127.0.0.1:{closed}/db", "DATABASE_URL"),
        (
            "WORKER_REPO_REMOTE_URL",
            "http://u:{secret}@127.0.0.1:{closed}/r.git",
            "WORKER_REPO_REMOTE_URL",
        ),
    ],
)
def test_a_refused_password_is_reported_without_it(
    tmp_path: Path,
    settings: dict[str, str],
    role: str,
    level: str,
    name: str,
    url: str,
    setting: str,
) -> None:
    folder = tmp_path / "guarded"
    folder.mkdir()
    with redis_server(folder, "--requirepass", "right") as redis:
        guarded = redis.rpartition(":")[2].partition("/")[0]
        settings[name] = url.format(secret=SECRET, guarded=guarded, closed=free_port())
        done = subprocess.run(
            command(role, "--log-level", level),
            cwd=tmp_path,
            env=environment(settings),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    assert done.returncode == 1, done.stderr
    assert "error: " in done.stderr
    assert setting in done.stderr
    assert ("Traceback" in done.stderr) is (level == "TRACE")
    assert "Traceback" in logs(tmp_path)
    assert SECRET not in done.stdout + done.stderr + logs(tmp_path)


def test_the_title_of_a_process_shows_no_credential(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    """Nor that of the git it calls, while a remote makes it wait."""
    with silent_server() as port:
        settings["WORKER_REPO_REMOTE_URL"] = f"http://u:{SECRET}@127.0.0.1:{port}/r.git"
        with subprocess.Popen(
            command("scheduler"),
            cwd=tmp_path,
            env=environment(settings),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                eventually(lambda: any("git" in title for title in titles(process.pid)), within=30)
                seen = titles(process.pid)
            finally:
                process.kill()

    assert SECRET not in " ".join(seen)


def titles(pid: int) -> list[str]:
    """The command lines of a process and of everything below it."""
    found = []
    try:
        found.append(Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "))
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in children.read_text().split():
                found += titles(int(child))
    except OSError:
        pass  # it has just ended
    return found
