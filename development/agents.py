"""Installs the coding agents that npm or PyPI has, for the tests that run them."""

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from loreley.core.agents.presets import Preset, presets
from loreley.errors import ConfigError

_NPM, _UV = "npm install -g ", "uv tool install "
_NODE = "node@22"  # the newest agents want more than distributions have
_PYTHON = {"aider": "3.11"}  # it wants no newer one


def install_agents(
    folder: Path, run: Callable[[Sequence[str]], bool], only: Iterable[str] = ()
) -> list[str]:
    """Install the agents below ``folder``; the names of those that no registry has.

    Their programs are in its folder ``bin``. Raises `ConfigError` where an installation fails.
    """
    wanted = [presets()[name] for name in only or presets()]
    folder.mkdir(parents=True, exist_ok=True)
    for command in list_commands(wanted, folder):
        if not run(command):
            raise ConfigError(
                "a coding agent could not be installed",
                target=shlex.join(command),
                fix="look at what was printed; npm and uv must be on PATH",
            )
    return [each.name for each in wanted if not each.install.startswith((_NPM, _UV))]


def list_commands(wanted: Sequence[Preset], folder: Path) -> Iterator[Sequence[str]]:
    """The command lines that install these agents, in their order."""
    bin_folder = folder / "bin"
    path = f"PATH={bin_folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    packages = [each.install.removeprefix(_NPM) for each in wanted if _NPM in each.install]
    if packages:
        npm = ["env", path, "npm", "install", "--global", "--prefix", str(folder)]
        yield [*npm, _NODE]
        yield [*npm, *packages]
    tools = ["env", f"UV_TOOL_DIR={folder / 'tools'}", f"UV_TOOL_BIN_DIR={bin_folder}"]
    for each in wanted:
        if each.install.startswith(_UV):
            python = ["--python", _PYTHON[each.name]] if each.name in _PYTHON else []
            package = each.install.removeprefix(_UV)
            yield [*tools, "uv", "tool", "install", "--force", *python, package]
        if each.install.startswith(_NPM) and each.install.endswith("-linux-x64"):
            # A package that holds a program under the name of its platform.
            program = each.install.rpartition("/")[2]
            yield ["ln", "--symbolic", "--force", program, str(bin_folder / each.program)]
