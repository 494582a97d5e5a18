"""Flags of tasks as values, and as options of the scripts behind them."""

from contextlib import suppress


def number(flag: str, text: str) -> float:
    """The value of a flag; Invoke's own answer to what is no number is a traceback."""
    from math import isfinite

    from loreley.errors import ConfigError

    with suppress(ValueError):
        if isfinite(number := float(text)):
            return number
    raise ConfigError("that is no number", setting=f"--{flag} {text}", fix="such as 1 or 0.5")


def option(name: str, value: str | None) -> list[str]:
    """The option as a command line has it; nothing where it is not given."""
    return [] if value is None else [name, value]
