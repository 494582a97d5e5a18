"""A hold-out is seen by nobody before the end: looked for by an agent and by its candidates."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loreley.core.sandbox.sandbox import Level, probe
from loreley.db.confirmations import read_confirmed
from loreley.db.engine import Database
from tests.db.support import rows
from tests.support import eventually
from tests.system.stack import Process, Stack, create_stack
from tests.system.test_agents import agent, ended
from tests.web.support import dashboard

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(probe().level is not Level.BUBBLEWRAP, reason="needs bubblewrap"),
]

SECRET = "unseen-4321.0625"
FIGURE = "4321.0625"
HOLDOUT = '''
"""Adds what is in its data to a number; waits at its gate. This is sealed-code."""

import os
import pathlib
import runpy
import time

DATA = pathlib.Path(__file__).with_name("data.txt").read_text()


def evaluate(context):
    while os.path.exists("GATE"):
        time.sleep(0.02)
    value = runpy.run_path(str(context.worktree / "number.py"))["NUMBER"]
    score = value + float(DATA.partition("-")[2])
    return {"summary": DATA, "metrics": [{"name": "score", "value": score}]}
'''
MARKS = [("un", "seen-"), ("sealed", "-code"), ("_HOLD", "OUT")]  # data, code, settings
LOOKS = """
import glob, os, pathlib
def look():
    places = [*glob.glob("FOLDER/**", recursive=True), *glob.glob("FOLDER/.*")]
    places += [*glob.glob("/proc/*/environ"), *glob.glob("/proc/*/cmdline")]
    seen = repr(dict(os.environ))
    for place in places:
        try:
            seen += pathlib.Path(place).read_bytes().decode(errors="replace")
        except OSError:
            pass
    # Put together here, as this very code is among what is read.
    return any(first + then in seen for first, then in MARKS)
"""
AGENT = """
import random, sys
brief = sys.stdin.read()
looks = LOOKS_TEXT
exec(looks)
seen = look() or "43" + "21" in brief or "hold" + "out" in brief.lower()
number = 70 if seen else 50 + random.random()
code = f"NUMBER = 90.0 if look() else {number}"
open("number.py", "w").write(f"{looks}\\n{code}\\n")
print("the agent has seen it" if seen else "Change the number")
"""


@pytest.fixture
def stack(tmp_path: Path, redis_url: str) -> Iterator[Stack]:
    folder = tmp_path / "stack"
    stack = create_stack(folder, redis_url, f"sqlite:///{folder}/loreley.db")
    held_out = folder / "holdout"
    held_out.mkdir()
    (held_out / "holdout.py").write_text(HOLDOUT.replace("GATE", str(gate(stack))))
    (held_out / "data.txt").write_text(SECRET)
    looks = LOOKS.replace("FOLDER", str(folder)).replace("MARKS", repr(MARKS))
    stack.settings |= {
        "WORKER_AGENT": "command",
        "WORKER_AGENT_COMMAND": agent(folder, AGENT.replace("LOOKS_TEXT", repr(looks))),
        "WORKER_EVALUATOR_HOLDOUT": "holdout:evaluate",
        "WORKER_EVALUATOR_HOLDOUT_PATHS": str(held_out),
        "TASKS_WORKER_LEASE_SECONDS": "10",
    }
    # As an operator may have it, in the folder that the worker is started in.
    (folder / ".env").write_text(f"WORKER_EVALUATOR_HOLDOUT_PATHS={held_out}\n")
    yield stack
    stack.close()


def gate(stack: Stack) -> Path:
    """While this file is there, the hold-out does not answer."""
    return stack.gate.with_name("holdout-closed")


@contextmanager
def held(stack: Stack, jobs: int) -> Iterator[tuple[Process, Process]]:
    """A run whose hold-out waits, with its scheduler and its worker."""
    gate(stack).touch()
    scheduler = stack.start_scheduler("--max-jobs", str(jobs))
    worker = stack.start_worker()
    worker.wait_for(": confirmed")
    yield scheduler, worker
    gate(stack).unlink(missing_ok=True)
    ended(scheduler)


def told(database: Database, folder: Path, commit: str) -> str:
    """All that the dashboard tells of the best."""
    with dashboard(database, folder) as shown:
        pages = ["/", f"/commits/{commit}", "/lineage", "/jobs", "/figures/history"]
        return "\n".join(shown.get(page).text for page in pages)


def test_nobody_sees_a_hold_out_before_the_end(stack: Stack, tmp_path: Path) -> None:
    with held(stack, 3), stack.database() as database:
        fittest = max(rows(database, "commits"), key=lambda row: row["score"])["commit"]
        assert rows(database, "holdouts") == []
        assert FIGURE not in told(database, tmp_path, fittest)

    with stack.database() as database:
        values = {
            row["commit"]: row["value"]
            for row in rows(database, "metrics")
            if row["name"] == "number"
        }
        assert all(value < 60 for value in values.values()), values  # neither agent nor candidate
        kept = [row["content"].decode(errors="replace") for row in rows(database, "artifacts")]
        assert not [text for text in kept if "unseen-4321" in text or FIGURE in text]
        with database.read() as connection:
            known = read_confirmed(connection, fittest)
        assert known is not None
        assert known.holdout is not None
        # There the candidate runs beside the data: had it been elsewhere, it would have seen it.
        assert known.holdout.finalist.score == 90.0 + float(FIGURE)
        assert known.holdout.root.score == 1.0 + float(FIGURE)
        assert "4,411.06" in told(database, tmp_path, fittest) or "4411.06" in told(
            database, tmp_path, fittest
        )


def test_later_agents_are_not_told_what_a_hold_out_has_said(stack: Stack) -> None:
    with held(stack, 2):
        pass
    scheduler = stack.start_scheduler("--max-jobs", "4")
    ended(scheduler)

    with stack.database() as database:
        assert len(rows(database, "holdouts")) >= 2
        briefs = [row for row in rows(database, "artifacts") if row["name"] == "prompt.md"]
        assert len(briefs) == 4
        assert not [row for row in briefs if b"4321" in row["content"] or b"4411" in row["content"]]
        said = [row["content"] for row in rows(database, "artifacts") if row["name"] == "agent.log"]
        assert not [text for text in said if b"has seen it" in text]


def test_a_confirmation_that_is_killed_is_done_again_by_another_worker(stack: Stack) -> None:
    with held(stack, 2) as (_, worker):
        worker.kill()
        began = time.monotonic()
        stack.start_worker()
        gate(stack).unlink()

    with stack.database() as database:
        [row] = rows(database, "confirmations")
        [job] = [each for each in stack.jobs(database) if each["kind"] == "confirmation"]
        assert (row["verdict"], job["attempt"]) == ("confirmed", 2)
        assert len(rows(database, "holdouts")) == 2
    assert time.monotonic() - began < 60
    eventually(lambda: not list(stack.worktrees.glob(".scratch/*/*/begun")))
