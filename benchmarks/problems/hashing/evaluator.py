"""How evenly a hash function spreads words that are alike."""

import subprocess
from collections import Counter
from typing import Any

from benchmarks.problems.candidate import answer, read_numbers

_ROWS = 1024
_WORDS = [f"{a}{b}_{number}" for a in "abcd" for b in ("x", "yy") for number in range(0, 1000, 10)]


def evaluate(context: Any) -> dict[str, Any]:
    """By how much more pairs share a row than by chance, negative."""
    program, words = context.scratch / "hash", context.scratch / "words"
    words.write_text("\n".join(_WORDS))
    built = subprocess.run(
        ["gcc", "-O0", "-w", "-o", str(program), "hash.c"],
        cwd=context.worktree, capture_output=True, text=True, check=False, timeout=5,
    )  # fmt: skip
    if built.returncode:
        raise ValueError(built.stderr[-200:])
    rows = read_numbers(["/bin/sh", "-c", f"exec {program} < {words}"], context.worktree, 800)
    loads = Counter(int(row) % _ROWS for row in rows)
    shared = sum(load * (load - 1) / 2 for load in loads.values())
    expected = 800 * 799 / 2 / _ROWS
    return answer(score=-shared / expected, largest=max(loads.values()), empty=_ROWS - len(loads))
