"""Judges the search engine: its tests must pass; then how many lines of it a workload executes."""

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any, Protocol

SECONDS = 20.0
RUN = """
import json, sys
sys.path.insert(0, sys.argv[1])
import search
documents, queries = json.load(sys.stdin)
lines = 0
def count(frame, event, argument):
    global lines
    if not frame.f_code.co_filename.endswith("search.py"):
        return None
    lines += event == "line"
    return count
sys.settrace(count)
index = search.Index()
for name, title, body in documents:
    index.add(name, title, body)
found = sum(len(index.search(query)) for query in queries)
sys.settrace(None)
print(json.dumps([lines, found]))
"""


class Context(Protocol):
    """What the evaluator is called with."""

    worktree: Path


def evaluate(context: Context) -> dict[str, Any]:
    """The candidate's metrics; raises `ValueError` when a test fails."""
    tests = _run([str(context.worktree / "tests" / "test_search.py")], context.worktree, "")
    if tests.returncode != 0:
        raise ValueError(f"the tests fail: {tests.stderr[-300:]}")
    workload = json.dumps(make_workload(Random(7)))
    answer = _run(["-c", RUN, str(context.worktree)], context.worktree, workload)
    if answer.returncode != 0:
        raise ValueError(f"the search fails: {answer.stderr[-300:]}")
    lines, found = json.loads(answer.stdout)
    return {
        "summary": f"{lines} lines executed, {found} results",
        "metrics": [
            {"name": "lines", "value": lines, "unit": None, "higher_is_better": False},
            {"name": "results", "value": found, "unit": None, "higher_is_better": True},
        ],
    }


def make_workload(random: Random) -> tuple[list[list[str]], list[str]]:
    """Documents of invented words, and queries for them."""
    syllables = ["ba", "co", "di", "fu", "ga", "he", "ki", "lo", "mu", "ne", "pa", "ri", "so", "te"]
    stems = ["".join(random.choices(syllables, k=random.choice([2, 3]))) for _ in range(80)]
    known = [stem + ending for stem in stems for ending in ("", "s", "ing")] + ["the", "of", "and"]
    documents = [
        [
            f"document {number}",
            " ".join(random.choices(known, k=3)),
            " ".join(random.choices(known, k=40)),
        ]
        for number in range(30)
    ]
    queries = [" ".join(random.choices(known, k=2)) for _ in range(20)]
    queries += [f"{random.choice(known)} -{random.choice(known)}" for _ in range(10)]
    return documents, [*queries, *(f'"{title}"' for _, title, _ in documents[:5])]


def _run(arguments: list[str], folder: Path, given: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            [sys.executable, "-B", *arguments],
            cwd=folder,
            input=given,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ValueError("the candidate takes too long") from error
