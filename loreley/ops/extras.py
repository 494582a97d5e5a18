"""The libraries that only some tasks need, and how they come when they are missing."""

import importlib.util
import os
import shutil
import sys

from loreley.errors import ConfigError
from loreley.invocation import installing, is_command
from loreley.ops.messages import say
from loreley.ops.replace_process import replace_process

_TRIED = "LORELEY_EXTRA_TRIED"


def require_extra(name: str, *modules: str) -> None:
    """Go on where the modules are installed; else become the same task run by uv with them.

    Raises `ConfigError` outside the checkout, where there is no uv, or where it did not bring
    them.
    """
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if not missing:
        os.environ.pop(_TRIED, None)
        return
    if is_command() or os.environ.get(_TRIED) == name:
        raise _missing(name, missing)
    try:
        command = uv()
    except ConfigError as error:
        raise _missing(name, missing) from error
    say(f"installing what is missing: {', '.join(missing)}")
    os.environ[_TRIED] = name
    replace_process([*command, "run", "--extra", name, "invoke", *sys.argv[1:]])


def uv() -> list[str]:
    """The command that runs uv; raises `ConfigError` where it is not installed."""
    program = os.environ.get("UV") or shutil.which("uv")
    if program:
        return [program]
    if importlib.util.find_spec("uv"):
        return [sys.executable, "-m", "uv"]
    raise ConfigError(
        "uv is not installed",
        reason="it provides the tools",
        fix="run `pip install uv` in a virtual environment, such as .venv",
    )


def _missing(name: str, modules: list[str]) -> ConfigError:
    return ConfigError(
        f"the libraries of the extra {name!r} are not installed",
        target=sys.executable,
        reason=f"there is no {', '.join(modules)}",
        fix=f"run {installing(name)}",
    )
