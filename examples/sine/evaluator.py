"""Judges a function that stands in for the sine: its correct digits, and its operations.

The two are at odds, so both are axes of the archive: each cell holds the best compromise of its
kind. The candidate runs in a process of its own and is believed nothing but numbers; it may use
arithmetic only, which its syntax tree shows.

Metrics, with ranges for MAPELITES_MEASURES:

- ``digits:0:8:16``, how many decimal digits are correct where it is worst;
- ``operations:0:24:12``, additions, multiplications and the like in its source.
"""

import ast
import json
import math
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Protocol

POINTS = 400
MOST_BYTES = 16 * 1024
MOST_OPERATIONS = 200
CANDIDATE_SECONDS = 10.0
LARGEST_ERROR = 1e6
ALLOWED = (
    *(ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Assign, ast.AnnAssign),
    *(ast.AugAssign, ast.Expr, ast.Pass, ast.Name, ast.Constant, ast.expr_context, ast.BinOp),
    *(ast.UnaryOp, ast.operator, ast.unaryop),
)
RUN = """
import json, sys
names = {}
exec(compile(sys.argv[1], "sine.py", "exec"), names)
print(json.dumps([names["sine"](x) for x in json.loads(sys.stdin.read())]))
"""


class Context(Protocol):
    """What the evaluator is called with."""

    worktree: Path
    scratch: Path
    commit: str
    timeout_seconds: float


def evaluate(context: Context) -> dict[str, Any]:
    """The candidate's metrics; raises `ValueError` naming the first thing that is wrong."""
    source = read(context.worktree / "sine.py")
    operations = counted(ast.parse(source))
    points = drawn(Random(0))
    answers = answered(source, points, context.scratch)
    worst = max(abs(answer - math.sin(x)) for x, answer in zip(points, answers, strict=True))
    digits = -math.log10(min(max(worst, 1e-16), LARGEST_ERROR))
    return {
        "summary": f"{digits:.2f} correct digits in {operations} operations",
        "metrics": [
            {"name": "digits", "value": digits, "unit": None, "higher_is_better": True},
            {"name": "operations", "value": operations, "unit": None, "higher_is_better": False},
        ],
    }


def read(path: Path) -> str:
    """The candidate's source."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MOST_BYTES:
        raise ValueError(f"sine.py is missing, no regular file, or over {MOST_BYTES} bytes")
    return path.read_text(encoding="utf-8")


def counted(tree: ast.Module) -> int:
    """How many operations the source writes out; raises `ValueError` for anything but those."""
    nodes = list(ast.walk(tree))
    for node in nodes:
        if not isinstance(node, ALLOWED):
            line = getattr(node, "lineno", "?")
            raise ValueError(f"line {line}: {type(node).__name__} is no plain arithmetic")
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            raise ValueError(f"line {node.lineno}: a decorator is no plain arithmetic")
    count = sum(isinstance(node, ast.BinOp | ast.UnaryOp | ast.AugAssign) for node in nodes)
    if count > MOST_OPERATIONS:
        raise ValueError(f"{count} operations, at most {MOST_OPERATIONS} allowed")
    return count


def drawn(random: Random) -> list[float]:
    """Angles from 0 to a quarter turn, both included."""
    quarter = math.pi / 2
    return [0.0, quarter, *(random.uniform(0.0, quarter) for _ in range(POINTS))]


def answered(source: str, points: Sequence[float], scratch: Path) -> list[float]:
    """What the candidate makes of the points, in a process apart."""
    output = scratch / "answers.json"
    with output.open("wb") as stdout:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", RUN, source],
            cwd=scratch,
            env={},
            input=json.dumps(points).encode(),
            stdout=stdout,
            stderr=subprocess.PIPE,
            timeout=CANDIDATE_SECONDS,
            preexec_fn=limit,
            check=False,
        )
    if done.returncode != 0:
        complaint = done.stderr.decode(errors="replace").strip().splitlines()
        raise ValueError(complaint[-1][:300] if complaint else f"exit code {done.returncode}")
    return numbers(json.loads(output.read_bytes()), len(points))


def numbers(answers: object, wanted: int) -> list[float]:
    """The answers, if they are as many finite numbers as there were points."""
    if not isinstance(answers, list) or len(answers) != wanted:
        raise ValueError("the candidate gave no list of answers")
    for answer in answers:
        plain = isinstance(answer, int | float) and not isinstance(answer, bool)
        if not plain or not abs(answer) < LARGEST_ERROR:
            raise ValueError(f"{answer!r:.40} is no usable answer")
    return [float(answer) for answer in answers]


def limit() -> None:
    """Bound what the candidate may use."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(CANDIDATE_SECONDS),) * 2)
    resource.setrlimit(resource.RLIMIT_AS, (512 * 1024 * 1024,) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * 1024,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
