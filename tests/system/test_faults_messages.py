"""Hostile messages, candidates and evaluators: recorded, bounded, and the next job runs."""

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis import Redis

from loreley.core.jobs import JobState
from tests.support import eventually
from tests.system.stack import PATIENCE_SECONDS, Stack, finished, only_sqlite
from tests.tasks.test_consumer import QUEUE, SOUND, UNREADABLE, UNWANTED

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PYTHON = Path(sys.base_prefix) / "bin" / "python3"

HOSTILE_IDS: tuple[object, ...] = (
    *(None, 5, [], {"a": 1}, "", "../../etc", "\0", "'; DROP TABLE jobs", "x" * 100_000),
    "00000000-0000-0000-0000-000000000000",
)

# Counts its calls in the home folder that it is granted; every call changes something sound too.
AGENT = """
import os, pathlib, shutil, stat, subprocess

home = pathlib.Path.home()
count = len(list(home.glob("call-*")))
(home / f"call-{count}").touch()
pathlib.Path("number.py").write_text(f"NUMBER = {count}.5\\n")


def replaced_by_a_link():
    os.remove("number.py")
    os.symlink("/etc/passwd", "number.py")

def pipe():
    os.remove("number.py")
    os.mkfifo("number.py")

def device():
    os.mknod("device", stat.S_IFCHR | 0o666, os.makedev(1, 5))

def ten_gigabytes():
    with open("big", "wb") as file:
        file.truncate(10 << 30)

def unreadable_folder():
    os.mkdir("closed")
    pathlib.Path("closed/file").touch()
    os.chmod("closed", 0)

def nested_repository():
    subprocess.run(["git", "init", "-q", "nested"], check=True)

def own_git_folder():
    os.remove(".git")
    subprocess.run(["git", "init", "-q"], check=True)

def link_out_of_the_worktree():
    os.symlink("../../../..", "out")

def everything_deleted():
    for name in os.listdir():
        shutil.rmtree(name) if os.path.isdir(name) else os.remove(name)

def daemon():
    subprocess.Popen(["sleep", "1000"], start_new_session=True)

def nothing():
    pass

SHAPES
"""
SHAPES = (
    *("replaced_by_a_link", "pipe", "device", "ten_gigabytes", "unreadable_folder"),
    *("nested_repository", "own_git_folder", "link_out_of_the_worktree", "everything_deleted"),
    *("daemon", "nothing"),
)

ANSWERS = (
    "raise ValueError('no')",
    "return None",
    "return {'metrics': [{'name': 'score', 'value': float('nan')}]}",
    "return {'metrics': [{'name': 'score', 'value': 'high'}]}",
    "return {'metrics': [{'name': 'other', 'value': 1.0}]}",
    "return {'summary': 'x' * 10**8, 'metrics': []}",
    "os._exit(0)",
    "os.kill(os.getpid(), 9)",
    "time.sleep(1000)",
    "while True: print('x' * 10**6)",
    "os.mkfifo('result.json'); os._exit(0)",
)


def own_agent(stack: Stack, shapes: tuple[str, ...]) -> int:
    """Let an agent of ours make the candidates, one shape after the other; how many."""
    agent, home = stack.folder / "agent" / "agent.py", stack.folder / "agent-home"
    home.mkdir()
    agent.parent.mkdir()
    chosen = "\n".join(f"if count == {number}: {name}()" for number, name in enumerate(shapes))
    agent.write_text(AGENT.replace("SHAPES", chosen))
    stack.settings |= {
        "WORKER_AGENT": "command",
        "WORKER_AGENT_COMMAND": f"{PYTHON} {agent}",
        "WORKER_AGENT_HOME": str(home),
        "WORKER_AGENT_READ_PATHS": f"{agent.parent}, {sys.base_prefix}",
        "WORKER_AGENT_NETWORK": "false",
    }
    return len(shapes)


def outcomes(stack: Stack, jobs: int) -> list[dict[str, Any]]:
    """Run so many jobs with one worker; what became of them, in the order of their claims."""
    worker = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", str(jobs))
    finished(scheduler, worker, within=2 * PATIENCE_SECONDS)
    assert worker.runs
    assert "Traceback" not in worker.said
    assert "a defect of Loreley's own" not in worker.said
    worker.stop()
    stack.require_whole(jobs_wanted=jobs)
    with stack.database() as database:
        rows = [row for row in stack.jobs(database) if row["ordinal"] >= 0]
    return sorted(rows, key=lambda row: float(row["claimed_at"]))


@only_sqlite
def test_messages_of_every_shape_stop_nobody(stack: Stack) -> None:
    parts = urlsplit(stack.redis_url)
    sent = [*UNREADABLE.values(), *UNWANTED.values()]
    for number, job_id in enumerate(HOSTILE_IDS):
        options = {"redis_message_id": f"id-{number}"}
        message = SOUND | {"actor_name": "run_evolution_job", "options": options}
        sent.append(json.dumps(message | {"kwargs": {"job_id": job_id}}).encode())
    with Redis(host=parts.hostname or "", port=parts.port or 0) as client:
        for number, data in enumerate(sent):
            redis_id = f"id-{number - len(UNREADABLE) - len(UNWANTED)}"
            client.hset(f"loreley:{QUEUE}.msgs", redis_id, data)
            client.rpush(f"loreley:{QUEUE}", redis_id)

        rows = outcomes(stack, 3)

        eventually(lambda: client.hlen(f"loreley:{QUEUE}.msgs") == 0)
    assert all(row["attempt"] == 1 for row in rows)


@only_sqlite
def test_whatever_a_candidate_leaves_the_next_job_runs(stack: Stack) -> None:
    rows = outcomes(stack, own_agent(stack, SHAPES))

    assert all(row["attempt"] == 1 for row in rows)
    by_shape = {shape: row["state"] for shape, row in zip(SHAPES, rows, strict=True)}
    refused = [shape for shape, state in by_shape.items() if state != JobState.SUCCEEDED]
    assert {"pipe", "nested_repository"} <= set(refused)
    assert by_shape["nothing"] == by_shape["daemon"] == JobState.SUCCEEDED
    assert all(row["failure"] for row in rows if row["state"] != JobState.SUCCEEDED)


@only_sqlite
def test_whatever_an_evaluator_answers_the_next_job_runs(stack: Stack) -> None:
    judge = stack.folder / "evaluator" / "judge.py"
    wrong = "\n".join(
        f"    if value == {number}.5:\n        {answer}" for number, answer in enumerate(ANSWERS)
    )
    judge.write_text(judge.read_text().replace('["NUMBER"]\n', f'["NUMBER"]\n{wrong}\n'))
    stack.settings["WORKER_EVALUATOR_TIMEOUT_SECONDS"] = "3"
    jobs = own_agent(stack, ("nothing",) * (len(ANSWERS) + 1))

    *failures, sound = outcomes(stack, jobs)

    assert sound["state"] == JobState.SUCCEEDED
    # An answer without the fitness is a sound one: the archive has no place for it.
    kinds = [row["failure_kind"] for row in failures]
    assert kinds.count("evaluation") + kinds.count("timeout") == len(ANSWERS) - 1, failures
    assert kinds[ANSWERS.index("time.sleep(1000)")] == "timeout"
    assert all(row["attempt"] == 1 for row in failures)


REACH = """
import glob, os, socket, sqlite3, subprocess

def reached():
    if any(name in os.environ for name in ("DATABASE_URL", "TASKS_REDIS_URL")):
        yield 1  # the worker's settings
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            yield 2 if b"DATABASE_URL" in open(path, "rb").read() else 0
        except OSError:
            pass
    try:
        socket.create_connection(("127.0.0.1", PORT), timeout=2).close()
        yield 4  # Redis
    except OSError:
        pass
    for secret in SECRETS:
        yield 8 if os.path.exists(secret) else 0
    try:
        open("/etc/planted", "w").close()
        yield 16  # the system
    except OSError:
        pass
    for planted in PLANTED:
        try:
            open(planted, "w").close()
            yield 32  # what other jobs and our git will read
        except OSError:
            pass

NUMBER = float(sum(set(reached())))
"""


@only_sqlite
def test_a_candidate_reaches_nothing_of_the_worker_s(stack: Stack, tmp_path: Path) -> None:
    """Its code runs inside the evaluator, with all that the evaluator may do."""
    secret = tmp_path / "secret"
    secret.touch()
    secrets = [stack.database_url.removeprefix("sqlite:///"), secret, stack.folder / "logs"]
    planted = [stack.base_clone / ".git" / "config", stack.folder / "evaluator" / "judge.py"]
    text = REACH.replace("PORT", str(urlsplit(stack.redis_url).port))
    text = text.replace("SECRETS", repr([*map(str, secrets)]))
    candidate = stack.folder / "agent" / "candidate.py"
    own_agent(stack, ("nothing",))
    candidate.write_text(text.replace("PLANTED", repr([*map(str, planted)])))
    stack.settings["WORKER_AGENT_COMMAND"] = f"cp {candidate} number.py"

    [row] = outcomes(stack, 1)

    assert row["state"] == JobState.SUCCEEDED, row
    with stack.database() as database, database.read() as connection:
        figures = connection.exec_driver_sql(
            "SELECT value FROM metrics WHERE name = 'number' AND value <> 1"
        ).scalars()
        assert list(figures) == [0.0]
    assert (stack.folder / "evaluator" / "judge.py").stat().st_size > 0
