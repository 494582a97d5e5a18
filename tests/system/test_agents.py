"""Agents as an operator runs them: a command of one's own, its budget, its gates, a choice."""

import stat
import sys
from pathlib import Path

import pytest

from loreley.core.jobs import JobState
from loreley.db.briefs.notebook import add_note
from tests.db.support import rows
from tests.support import eventually
from tests.system.stack import Process, Stack, create_stack

pytestmark = pytest.mark.slow

# Commits by itself, as some agents do whatever they are told.
CHANGES = """
import random, re, subprocess, sys
assert "Make it count." in sys.stdin.read()
text = open("number.py").read()
number = float(re.search(r"= (.*)", text)[1]) + random.random()
open("number.py", "w").write(f"NUMBER = {number}\\n")
subprocess.run(["git", "commit", "-qam", "mine"], check=True)
print(f"Raise the number to {number}")
"""
TRESPASSES = """
import random
open("AGENTS.md", "w").write(f"Obey {random.random()}.")
print("Instruct the others")
"""


def agent(folder: Path, body: str) -> str:
    """The command line of an agent that is this script."""
    script = folder / "agent.py"
    script.write_text(f"#!{sys.executable} -I\n{body}")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return str(script)


def ended(scheduler: Process) -> None:
    eventually(lambda: not scheduler.runs, within=90)
    assert scheduler.popen.returncode == 0, scheduler.said


def test_a_command_evolves_the_repository_within_its_budget(stack: Stack) -> None:
    stack.settings |= {
        "WORKER_AGENT": "command",
        "WORKER_AGENT_COMMAND": agent(stack.folder, CHANGES),
        "WORKER_AGENT_CALL_PRICES": "command:0.25",
        "WORKER_EVOLUTION_GLOBAL_GOAL": "Make it count.",
        "SCHEDULER_BUDGET_DOLLARS": "1.5",
    }
    with stack.database() as database:
        add_note(database, "Larger is better.")

    scheduler = stack.start_scheduler()
    for _ in range(2):
        stack.start_worker()
    ended(scheduler)

    assert "the budget is reached: the run's 1.5 dollars: 1.5 dollars spent" in scheduler.said
    stack.require_whole()
    with stack.database() as database:
        assert [call["dollars"] for call in rows(database, "calls")] == [0.25] * 6
        jobs = stack.jobs(database)
        judged = [job for job in jobs if job["state"] == JobState.SUCCEEDED and job["ordinal"] >= 0]
        assert len(judged) == 6
        assert {job["agent"] for job in judged} == {"command"}
        texts = [row for row in rows(database, "artifacts") if row["name"] == "prompt.md"]
        assert len(texts) == 6
        assert all(b"- Larger is better." in row["content"] for row in texts)


def test_a_candidate_that_touches_the_protected_costs_no_evaluation(
    tmp_path: Path, redis_url: str
) -> None:
    stack = create_stack(tmp_path, redis_url, f"sqlite:///{tmp_path}/loreley.db")
    stack.settings |= {
        "WORKER_AGENT": "command:1, genetic:1",
        "WORKER_AGENT_COMMAND": agent(tmp_path, TRESPASSES),
    }
    try:
        scheduler = stack.start_scheduler("--max-jobs", "8")
        stack.start_worker()
        ended(scheduler)
        stack.require_whole(jobs_wanted=8)
    finally:
        stack.close()

    with stack.database() as database:
        jobs = [job for job in stack.jobs(database) if job["ordinal"] >= 0]
        refused = [job for job in jobs if job["agent"] == "command"]
        assert refused
        assert len(refused) < len(jobs)
        assert {job["state"] for job in refused} == {JobState.REJECTED}
        assert all("AGENTS.md is protected" in job["failure"] for job in refused)
        ids = {job["id"] for job in refused}
        kept = {row["name"] for row in rows(database, "artifacts") if row["job_id"] in ids}
        assert kept == {"prompt.md", "agent.log", "patch.diff", "worker.log"}
        assert {arm["name"] for arm in rows(database, "arms")} >= {"command", "genetic"}


GROWS = """
import re, sys
sys.stdin.read()
number = float(re.search(r"= (.*)", open("number.py").read())[1]) + float(sys.argv[1])
open("number.py", "w").write(f"NUMBER = {number!r}\\n")
print(f"Raise the number to {number!r}")
"""


def test_one_program_under_two_names_is_two_agents_to_the_search(
    tmp_path: Path, redis_url: str
) -> None:
    stack = create_stack(tmp_path, redis_url, f"sqlite:///{tmp_path}/loreley.db")
    stack.settings |= {
        "WORKER_AGENT": "small=command, large=command",
        "WORKER_AGENT_COMMAND": f"{agent(tmp_path, GROWS)} {{arguments}}",
        "WORKER_AGENT_ARGUMENTS": "small:0.25, large:1024",
        "WORKER_AGENT_CALL_PRICES": "command:0.25",
    }
    try:
        scheduler = stack.start_scheduler("--max-jobs", "8")
        stack.start_worker()
        ended(scheduler)
        with stack.database() as database:
            jobs = [job for job in stack.jobs(database) if job["ordinal"] >= 0]
            arms = {arm["name"] for arm in rows(database, "arms") if arm["kind"] == "agent"}
            spent = {call["agent"] for call in rows(database, "calls")}
    finally:
        stack.close()

    assert {job["agent"] for job in jobs} == arms == spent == {"small", "large"}
