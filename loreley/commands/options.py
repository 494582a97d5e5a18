"""Flags of tasks as values, and as options of the scripts behind them."""

from contextlib import suppress
from typing import Annotated

# What a flag's value is, as the help of the command `loreley` shows it.
Count = Annotated[str, "N"]
Share = Annotated[str, "SHARE"]
Seconds = Annotated[str, "SECONDS"]
File = Annotated[str, "FILE"]
Level = Annotated[str, "LEVEL"]
Commit = Annotated[str, "COMMIT"]
Branch = Annotated[str, "BRANCH"]
Role = Annotated[str, "ROLE"]
Address = Annotated[str, "ADDRESS"]
Port = Annotated[str, "PORT"]
JobId = Annotated[str, "JOB"]
Name = Annotated[str, "NAME"]
Command = Annotated[str, "COMMAND"]
Globs = Annotated[str, "GLOBS"]
Repository = Annotated[str, "REPOSITORY"]
Target = Annotated[str, "HOST|WORKER"]

_MOST_DIGITS = 9  # a database's integers end soon after


def number(flag: str, text: str) -> float:
    """The value of a flag; Invoke's own answer to what is no number is a traceback."""
    from math import isfinite

    from loreley.errors import ConfigError

    with suppress(ValueError):
        if isfinite(number := float(text)):
            return number
    raise ConfigError("that is no number", setting=f"--{flag} {text}", fix="such as 1 or 0.5")


def count(flag: str, text: str, *, most: int | None = None) -> int:
    """The value of a flag that is a whole number of 0 or more, and not above ``most``."""
    from loreley.errors import ConfigError

    digits, fix = text.strip(), "such as 0 or 12"
    if not digits.isdecimal():
        what = "that is no whole number"
    elif len(digits) > _MOST_DIGITS:
        what = "that is too large a number"
    elif most is not None and int(digits) > most:
        what, fix = "that is too large a number", f"at most {most}"
    else:
        return int(digits)
    raise ConfigError(what, setting=f"--{flag} {text[:40]}", fix=fix)


def option(name: str, value: str | None) -> list[str]:
    """The option as a command line has it; nothing where it is not given."""
    return [] if value is None else [name, value]
