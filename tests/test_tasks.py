import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from loreley.ops.embedded.start import stop_server
from tests.support import PROJECT_ROOT, eventually, killed_at_last

SCRIPT = """
import json, os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print(json.dumps({
    "pid": os.getpid(),
    "arguments": sys.argv[1:],
    "cwd": os.getcwd(),
    "redis": os.environ.get("TASKS_REDIS_URL"),
    "level": os.environ.get("LOG_LEVEL"),
    "writes_byte_code": "PYTHONDONTWRITEBYTECODE" not in os.environ,
}), flush=True)
if os.environ.get("STUB_WAITS"):
    signal.pause()
sys.exit(5)
"""
NOTHING_LISTENS = "redis://:hunter2@127.0.0.1:1/0"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A project with the real tasks, and scripts that only tell how they were started."""
    root = tmp_path / "project"
    (root / "script").mkdir(parents=True)
    shutil.copy(PROJECT_ROOT / "tasks.py", root)
    for name in ("run_worker.py", "run_scheduler.py"):
        (root / "script" / name).write_text(SCRIPT)
    yield root
    eventually(lambda: stop_server(root / ".loreley"))


@contextmanager
def invoked(
    project: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    below = project / "script"  # the tasks are found from below, too
    process = subprocess.Popen(
        [sys.executable, "-m", "invoke", *arguments],
        cwd=below,
        env={
            **os.environ,
            "PYTHONPATH": str(PROJECT_ROOT),
            "WORKER_REPO_REMOTE_URL": "/nowhere",
            **(environment or {}),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with killed_at_last(process):
        yield process


def finished(
    project: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    with invoked(project, *arguments, environment=environment) as process:
        stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout, stderr


WITHOUT_HELP = """
import tasks
for name, task in tasks.namespace.tasks.items():
    for argument in task.get_arguments():
        if not argument.help:
            print(f"invoke {name} --{argument.name}")
"""


def test_the_list_reads_like_a_table_of_contents_and_every_flag_has_help() -> None:
    sys.path.insert(0, str(PROJECT_ROOT))
    import tasks

    assert {
        "worker",
        "scheduler",
        "logs",
        "redis",
        "test",
        "lint",
        "check",
        "clean",
        "pins",
    } <= set(tasks.namespace.task_names)
    listed = subprocess.run(
        [sys.executable, "-m", "invoke", "--list"], cwd=PROJECT_ROOT, capture_output=True, text=True
    )
    rows = [row for row in listed.stdout.splitlines()[1:] if row]
    assert sorted(row.split()[0] for row in rows) == sorted(tasks.namespace.task_names)
    assert all(row.endswith(".") for row in rows)
    # In a process of its own: reading a task's arguments uses their help up.
    bare = subprocess.run(
        [sys.executable, "-c", WITHOUT_HELP], cwd=PROJECT_ROOT, capture_output=True, text=True
    )
    assert (bare.returncode, bare.stdout) == (0, ""), bare.stderr


def test_listing_the_tasks_imports_nothing_heavy() -> None:
    heavy = ["pydantic", "redis", "sqlalchemy", "loguru", "dramatiq", "libcst", "rich"]
    code = f"import sys, tasks; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True)
    assert done.stdout.decode().strip() == "[]"


@pytest.mark.slow
def test_worker_becomes_the_script_with_dotenv_and_a_queue(project: Path) -> None:
    (project / ".env").write_text("LOG_LEVEL=WARNING\nWORKER_AGNET=x\n")

    with invoked(
        project, "worker", "--log-level", "DEBUG", environment={"PYTHONDONTWRITEBYTECODE": "1"}
    ) as process:
        stdout, stderr = process.communicate(timeout=60)

    told = json.loads(stdout)
    assert told["pid"] == process.pid
    assert told["arguments"] == ["--log-level", "DEBUG"]
    assert Path(told["cwd"]) == project
    assert told["level"] == "WARNING"
    assert told["redis"].startswith("unix://")
    assert told["writes_byte_code"]
    assert process.returncode == 5
    assert "started the embedded Valkey" in stderr
    assert "line 2: WORKER_AGNET is no setting; did you mean WORKER_AGENT?" in stderr
    assert stderr.count("WORKER_AGNET") == 1


@pytest.mark.slow
def test_a_signal_to_the_task_is_the_scripts_and_its_exit_code_the_tasks(
    project: Path, redis_url: str
) -> None:
    environment = {"STUB_WAITS": "1", "TASKS_REDIS_URL": redis_url}
    with invoked(project, "scheduler", "--max-jobs", "3", environment=environment) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told["arguments"] == ["--max-jobs", "3"]
        assert told["redis"] == redis_url
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 7
    assert not (project / ".loreley").exists()


@pytest.mark.slow
@pytest.mark.parametrize("task", ["worker", "scheduler"])
def test_a_configured_redis_that_is_down_is_reported_and_never_replaced(
    project: Path, task: str
) -> None:
    (project / ".env").write_text(f"TASKS_REDIS_URL={NOTHING_LISTENS}\n")

    code, stdout, stderr = finished(project, task)

    assert code == 1
    assert stdout == ""
    assert stderr.startswith("error: Redis does not answer")
    assert "hunter2" not in stderr
    assert "Traceback" not in stderr
    assert not (project / ".loreley").exists()


@pytest.mark.slow
def test_malformed_settings_are_reported_without_a_traceback(project: Path) -> None:
    (project / ".env").write_text("TASKS_REDIS_PORT=many\nLOG_LEVEL=LOUD\n")
    code, _, stderr = finished(project, "worker")
    assert code == 1
    assert [line for line in stderr.splitlines() if line.startswith("error")] == [
        "error: LOG_LEVEL is not valid",
        "error: TASKS_REDIS_PORT is not valid",
    ]

    (project / ".env").write_text("LOG_LEVEL INFO\n")
    code, _, stderr = finished(project, "worker")
    assert code == 1
    assert ".env, line 1" in stderr


@pytest.mark.slow
def test_ctrl_c_while_redis_is_silent_ends_with_a_word(project: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        with invoked(project, "worker", environment={"TASKS_REDIS_URL": url}) as process:
            connection, _ = silent.accept()
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=10)
            connection.close()
    assert process.returncode == 130
    assert stderr == "stopped\n"


@pytest.mark.slow
def test_redis_tells_by_its_exit_code_whether_a_worker_could_work(
    project: Path, redis_url: str
) -> None:
    code, stdout, stderr = finished(project, "redis", environment={"TASKS_REDIS_URL": redis_url})
    assert code == 0
    assert "answers in" in stdout
    assert stderr == ""

    environment = {"TASKS_REDIS_URL": NOTHING_LISTENS}
    code, stdout, stderr = finished(project, "redis", environment=environment)
    assert code == 1
    assert "no answer" in stdout
    assert "refused" in stderr
    code, stdout, _ = finished(project, "redis", "--json", environment=environment)
    assert code == 1
    assert json.loads(stdout)["lets_workers_work"] is False
    assert "hunter2" not in stdout


@pytest.mark.slow
def test_the_doctor_looks_at_everything_however_much_is_broken(project: Path) -> None:
    (project / ".env").write_text("TASKS_REDIS_PORT=many\nDATABASE_URL=sqlite:////etc/passwd\n")

    code, stdout, stderr = finished(project, "doctor", "--json", "--run")

    found = {one["name"]: one for one in json.loads(stdout)}
    assert code == 1
    assert "Traceback" not in stderr
    assert {"settings", "git", "sandbox", "queue server", "repository", "evaluator"} <= set(found)
    assert {found[name]["verdict"] for name in ("settings", "database", "repository", "run")} == {
        "bad"
    }
    assert all(one["fix"] for one in found.values() if one["verdict"] != "good")


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("top", "--every", "x"), ("top", "--every", "0"), ("minimise", "--keep", "all"),
        ("minimise", "--evaluations", "0"), ("best", "--island", "x"), ("export",),
        ("best", "--commit", "1", "--island", "1"), ("export", "--branch", "main"),
    ],
)  # fmt: skip
def test_flags_without_meaning_are_reported_without_a_traceback(
    project: Path, arguments: tuple[str, ...]
) -> None:
    code, stdout, stderr = finished(project, *arguments)

    assert (code, stdout) == (1, "")
    assert stderr.startswith("error: ")
    assert "Traceback" not in stderr
    assert "  fix:" in stderr


@pytest.mark.slow
@pytest.mark.parametrize("task", ["best", "report", "minimise"])
def test_before_there_is_a_run_the_tasks_say_so(project: Path, task: str) -> None:
    code, _, stderr = finished(project, task)

    assert code == 1
    assert stderr.startswith("error: there is no experiment yet\n")
    assert not (project / "script" / "loreley-report.html").exists()


@pytest.mark.slow
def test_logs_show_the_end_and_follow_until_ctrl_c(project: Path) -> None:
    code, _, stderr = finished(project, "logs")
    assert code == 1
    assert str(project / "logs" / "worker") in stderr

    folder = project / "logs" / "worker"
    head = "2026-11-23 12:00:00.000 | INFO     | 1/MainThread job=- | m:f:1 - "
    with invoked(project, "logs", "-f") as process:
        assert process.stderr is not None
        assert process.stdout is not None
        assert "waiting for logs" in process.stderr.readline()
        folder.mkdir(parents=True)
        (folder / "worker-20261123-120000.log").write_text(f"{head}first\n")
        assert process.stdout.readline() == f"{head}first\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=10)
    assert process.returncode == 0
    assert stderr == ""

    assert finished(project, "logs", "--lines", "1") == (0, f"{head}first\n", "")
    assert finished(project, "logs", "--level", "error") == (0, "", "")
    code, _, stderr = finished(project, "logs", "--level", "loud")
    assert code == 1
    assert "--level" in stderr


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_error(project: Path) -> None:
    folder = project / "logs" / "worker"
    folder.mkdir(parents=True)
    (folder / "worker-20261123-120000.log").write_text("x" * 100 + "\n" + "y\n" * 100_000)
    with invoked(project, "logs", "--lines", "200000") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(10) == 141
        process.stdout = None


@pytest.mark.slow
def test_without_loreleys_packages_the_tasks_say_how_to_get_them(project: Path) -> None:
    (project / "sitecustomize.py").write_text(
        "import sys\nsys.modules['pydantic'] = None\n", encoding="utf-8"
    )
    environment = {"PYTHONPATH": f"{project}{os.pathsep}{PROJECT_ROOT}"}
    code, _, stderr = finished(project, "worker", environment=environment)
    assert code == 1
    assert "uv run invoke" in stderr
    assert "Traceback" not in stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("evolve", "--jobs", "many"),
        ("evolve", "--workers", "-1"),
        ("logs", "--lines", "1.5"),
        ("ui", "--port", "http"),
        ("notes", "--withdraw", "first"),
        ("notes", "--withdraw", "99999999999999999999"),
        ("top", "--every", "often"),
    ],
)
def test_a_flag_that_is_no_number_is_named(project: Path, arguments: tuple[str, ...]) -> None:
    code, _, said = finished(project, *arguments)

    assert code == 1
    assert f"setting: {arguments[1]} {arguments[2]}" in said
    assert "Traceback" not in said
