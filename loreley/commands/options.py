"""Flags of tasks as values, and as options of the scripts behind them."""

from contextlib import suppress

_MOST_DIGITS = 9  # a database's integers end soon after


def number(flag: str, text: str) -> float:
    """The value of a flag; Invoke's own answer to what is no number is a traceback."""
    from math import isfinite

    from loreley.errors import ConfigError

    with suppress(ValueError):
        if isfinite(number := float(text)):
            return number
    raise ConfigError("that is no number", setting=f"--{flag} {text}", fix="such as 1 or 0.5")


def count(flag: str, text: str) -> int:
    """The value of a flag that is a whole number of 0 or more."""
    from loreley.errors import ConfigError

    digits = text.strip()
    if not digits.isdecimal():
        what = "that is no whole number"
    elif len(digits) > _MOST_DIGITS:
        what = "that is too large a number"
    else:
        return int(digits)
    raise ConfigError(what, setting=f"--{flag} {text[:40]}", fix="such as 0 or 12")


def option(name: str, value: str | None) -> list[str]:
    """The option as a command line has it; nothing where it is not given."""
    return [] if value is None else [name, value]
