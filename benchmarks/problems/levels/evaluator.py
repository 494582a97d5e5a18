"""How far rounded samples are from the true ones, and how many bits each of them takes."""

import math
from collections import Counter
from typing import Any

from benchmarks.problems.candidate import answer, run_python

_BITS = 0.05  # of error, that a bit is worth


def evaluate(context: Any) -> dict[str, Any]:
    """The root of the mean square, the entropy, and both together, negative."""
    found = run_python(context.worktree, "levels.py", 200)
    state, true = 12345, []
    for _ in range(200):
        state = (1103515245 * state + 12345) % 2147483648
        true.append((2 * state / 2147483648 - 1) ** 3 + 0.15)
    pairs = zip(found, true, strict=True)
    error = min(math.sqrt(sum((one - other) ** 2 for one, other in pairs) / 200), 1e6)
    shares = [count / 200 for count in Counter(found).values()]
    bits = -sum(share * math.log2(share) for share in shares) + 0.0
    return answer(error=error, bits=bits, value=-error - _BITS * bits)
