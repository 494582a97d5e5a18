"""What is to be improved, by which command, and what has to stay: from flags, or asked."""

import re
import sys
from dataclasses import dataclass, replace

from loreley.errors import ConfigError

SECONDS = "seconds"
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Wishes:
    """Texts as a person gives them; empty where nothing was said."""

    command: str  # a command for the shell, in a checkout
    metric: str = SECONDS  # the CPU time of the command, or a number that it prints
    higher_is_better: bool = False
    test: str = ""  # a command that has to succeed
    goal: str = ""
    agent: str = ""
    editable: str = ""
    repository: str = "."  # a path or the URL of a remote

    def check(self) -> None:
        """Raise `ConfigError` for what could not work."""
        if not self.command.strip():
            raise ConfigError(
                "nothing is known about how to measure",
                setting="--command",
                fix="give the command that runs the program, such as --command 'python3 main.py'",
            )
        if not _NAME.fullmatch(self.metric):
            raise ConfigError(
                "that is no name of a number",
                setting=f"--metric {self.metric[:80]}",
                fix="such as score; the command prints it as `score: 1.5`",
            )
        for name, text in (("command", self.command), ("test", self.test), ("goal", self.goal)):
            if not text.isprintable() or (name == "goal" and "${" in text):
                raise ConfigError(
                    "that is no plain line of text",
                    setting=f"--{name}",
                    fix="leave out line breaks, control characters and, in a goal, ${",
                )


def ask(given: Wishes) -> Wishes:
    """The same with what a person at the terminal adds; as it is where there is none.

    Raises `ConfigError` where the answers end early.
    """
    if given.command or not sys.stdin.isatty():
        return given
    print("What is to be improved? Each answer may be changed later. Ctrl+C changes nothing.")
    command = _ask("command that runs the program, in a checkout of it")
    metric = _ask(f"number to improve: one that it prints, or {SECONDS} of CPU time", SECONDS)
    return replace(
        given,
        command=command,
        metric=metric,
        higher_is_better=metric != SECONDS
        and _ask(f"is more {metric} better? yes or no", "yes").lower().startswith("y"),
        test=given.test or _ask("command that has to succeed, such as its tests", ""),
        goal=given.goal or _ask("what agents are told to achieve, in a sentence", ""),
    )


def _ask(question: str, default: str | None = None) -> str:
    hint = {None: "", "": " (Enter: none)"}.get(default, f" (Enter: {default})")
    while True:
        try:
            answer = input(f"{question}{hint}: ").strip() or default
        except EOFError:
            raise ConfigError("nothing was written", reason="the answers ended early") from None
        if answer is not None:
            return answer
