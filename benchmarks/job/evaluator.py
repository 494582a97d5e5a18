"""Runs the candidate in its own interpreter, the one that an evaluation starts anyhow."""

import sys

TYPE_CHECKING = False  # nothing is imported that only types need
if TYPE_CHECKING:
    from typing import Protocol

    class Context(Protocol):
        """What the evaluator is called with."""

        worktree: object


def evaluate(context: "Context") -> dict[str, object]:
    """The sum of the constants, and the first two for the axes of the archive."""
    with open(f"{context.worktree}/constants.py") as file:  # noqa: PTH123
        found: dict[str, float] = {}
        exec(compile(file.read(), "constants.py", "exec"), found)
    values = [found[f"C{number:02}"] for number in range(32)]
    figures = {"score": sum(values), "first": values[0], "second": values[1]}
    return {"metrics": [{"name": name, "value": value} for name, value in figures.items()]}


class _Here:
    worktree: object = "."


if __name__ == "__main__":
    sys.stdout.write(f"{evaluate(_Here())['metrics']}\n")
