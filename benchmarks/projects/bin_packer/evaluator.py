"""Judges the bin packer: every item in one bin, no bin too full; then how few and how full."""

import json
import subprocess
from pathlib import Path
from random import Random
from typing import Any, Protocol

SECONDS = 20.0
CAPACITY = 100
RUN = """
const { pack } = require(process.argv[1] + "/packer.js");
const lists = JSON.parse(require("fs").readFileSync(0, "utf8"));
const packed = lists.map((sizes) => pack(sizes.map((size, id) => ({ id, size }))));
console.log(JSON.stringify(packed.map((bins) => bins.map((bin) => bin.map((item) => item.id)))));
"""


class Context(Protocol):
    """What the evaluator is called with."""

    worktree: Path


def evaluate(context: Context) -> dict[str, Any]:
    """The candidate's metrics; raises `ValueError` when it packs wrongly."""
    random = Random(11)
    lists = [
        [random.choice([random.randint(5, 35), random.randint(20, 70)]) for _ in range(60)]
        for _ in range(8)
    ]
    packed = _pack(context.worktree, lists)
    fills = [fill for sizes, bins in zip(lists, packed, strict=True) for fill in _fill(sizes, bins)]
    evenness = sum((fill / CAPACITY) ** 2 for fill in fills) / len(fills)
    return {
        "summary": f"{len(fills)} bins, filled to {evenness:.4f}",
        "metrics": [
            {"name": "bins", "value": len(fills), "unit": None, "higher_is_better": False},
            {"name": "fill", "value": evenness, "unit": None, "higher_is_better": True},
        ],
    }


def _fill(sizes: list[int], bins: list[list[int]]) -> list[int]:
    if sorted(number for each in bins for number in each) != list(range(len(sizes))):
        raise ValueError("an item is lost, or packed twice")
    filled = [sum(sizes[number] for number in each) for each in bins]
    if max(filled) > CAPACITY:
        raise ValueError(f"a bin holds {max(filled)}")
    return [each for each in filled if each]


def _pack(folder: Path, lists: list[list[int]]) -> list[list[list[int]]]:
    try:
        answer = subprocess.run(
            ["node", "-e", RUN, str(folder)],
            cwd=folder,
            input=json.dumps(lists),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ValueError("the candidate takes too long") from error
    if answer.returncode != 0:
        raise ValueError(f"the packer fails: {answer.stderr[-300:]}")
    packed: list[list[list[int]]] = json.loads(answer.stdout)
    return packed
