"""The evaluator that is written for a user, tried on the commit that evolution begins at."""

import hashlib
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from loreley.errors import ConfigError
from loreley.invocation import typed
from loreley.ops.messages import say
from loreley.ops.setup.wishes import SECONDS, Wishes

_FOLDER = Path(__file__).parent
_PLACE = re.compile(r"__([A-Z]+)__")
_TRIES = 3
_SEVERAL_RUNS = 5
_TRIAL_SECONDS = 3600.0  # Ctrl+C comes first
_ROOM = 4  # how much slower than the first a candidate may be
_DEFAULT_TIMEOUT_SECONDS = 900.0  # of an evaluation

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class WrittenEvaluator:
    """A module as text, and how long one evaluation takes at most."""

    text: str
    timeout_seconds: str  # empty: the default is enough


def write_evaluator(wishes: Wishes, checkout: Path) -> WrittenEvaluator:
    """The evaluator for what is wished, with what the program at hand prints and how it varies.

    Runs the commands in the checkout. Raises `ConfigError` where they fail, or where what is
    printed differs from run to run and nothing else says whether it is right.
    """
    trial = _Trial(_fill(wishes, expected="", runs=1), checkout)
    if wishes.test:
        say(f"init: `{wishes.test}`, which has to succeed")
        trial.attempt("--test", wishes.test, trial.run)
    values, outputs = [], set()
    began = time.monotonic()
    for number in range(1, _TRIES + 1):
        say(f"init: `{wishes.command}`, run {number} of {_TRIES}")
        values.append(trial.attempt("--command", wishes.command, trial.measure))
        outputs.add(hashlib.sha256(trial.output).hexdigest())
    seconds = (time.monotonic() - began) / _TRIES
    exact = wishes.metric != SECONDS and len(set(values)) == 1
    runs = 1 if exact else _SEVERAL_RUNS
    said = "the same each time" if exact else f"an evaluation takes {runs} runs"
    say(f"init: {wishes.metric} {', '.join(f'{value:.4g}' for value in values)}: {said}")
    expected = _choose_expected(wishes, outputs) if wishes.metric == SECONDS else ""
    needed = _ROOM * seconds * (runs + 2)
    return WrittenEvaluator(
        _fill(wishes, expected=expected, runs=runs),
        f"{needed:.0f}" if needed > _DEFAULT_TIMEOUT_SECONDS else "",
    )


def _choose_expected(wishes: Wishes, outputs: set[str]) -> str:
    """The digest of what the program prints, where that is the same each time."""
    if len(outputs) == 1:
        return next(iter(outputs))
    if wishes.test:
        say("init: what it prints differs from run to run: only the tests tell whether it is right")
        return ""
    raise ConfigError(
        "what the command prints differs from run to run, so nothing tells a right result",
        setting="--command",
        target=wishes.command,
        fix="let it print the same each time, or name a command that checks it by --test, or a "
        "number that it prints by --metric",
    )


class _Trial:
    """The evaluator's own functions, called on a checkout outside of any sandbox."""

    def __init__(self, text: str, checkout: Path) -> None:
        self.output = b""  # of the last command
        self._checkout = checkout
        self._module: dict[str, Any] = {}
        exec(compile(text, "evaluator", "exec"), self._module)  # noqa: S102 - our own text
        self._run_command = self._module["run"]
        self._module["run"] = self._run_and_keep

    def run(self, command: str, end: float) -> None:
        """Run a command that has to succeed."""
        self._run_and_keep(command, self._checkout, end)

    def measure(self, _: str, end: float) -> float:
        """What the evaluator measures in one run."""
        return float(self._module["measure"](self._checkout, end))

    def attempt(self, flag: str, command: str, step: Callable[[str, float], Result]) -> Result:
        """Do it; raises `ConfigError` that names the flag where the command does not do."""
        try:
            return step(command, time.monotonic() + _TRIAL_SECONDS)
        except (ValueError, OSError, subprocess.SubprocessError) as error:
            raise ConfigError(
                "the command cannot be used at the commit that evolution begins at",
                setting=flag,
                target=command,
                reason=str(error),
                fix=f"correct it and type `{typed('init')}` again; it runs in a fresh checkout, "
                "which has only what is committed",
            ) from error

    def _run_and_keep(self, command: str, worktree: Path, end: float) -> bytes:
        self.output = self._run_command(command, worktree, end)
        return self.output


def _fill(wishes: Wishes, *, expected: str, runs: int) -> str:
    name = "seconds.txt" if wishes.metric == SECONDS else "printed.txt"
    text = (_FOLDER / name).read_text(encoding="utf-8")
    values = {
        "COMMAND": wishes.command,
        "EXPECTED": expected,
        "METRIC": wishes.metric,
        "HIGHER": wishes.higher_is_better,
        "TESTS": wishes.test,
        "RUNS": runs,
    }
    return _PLACE.sub(lambda place: repr(values[place[1]]), text)
