"""Pins of every dependency: in pyproject.toml for uv, with hashes in requirements/ for all."""

import re
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from development.tools import RunCommand
from loreley.errors import CommandFailed
from loreley.ops.extras import uv

_HEADER = "# Written by `invoke pins` from pyproject.toml; verified by `--require-hashes`.\n"
_PIN = re.compile(r"^(?P<pin>[A-Za-z0-9][\w.-]*==[^\\\n]+?)\s*\\?$", re.MULTILINE)
_CONSTRAINTS = re.compile(
    r"^# Written by `invoke pins`.\nconstraint-dependencies = \[.*?^\]\n", re.MULTILINE | re.DOTALL
)


def write_pins(root: Path, run: RunCommand, *, upgrade: bool = False) -> int:
    """Resolve all dependencies for every platform and write both kinds of pins; their number.

    Versions stay as they are where they still fit, unless ``upgrade`` is set. Users and
    developers get the same versions. Raises `CommandFailed` when uv finds no solution.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    requirements = root / "requirements"
    requirements.mkdir(exist_ok=True)
    runtime, development = requirements / "runtime.txt", requirements / "dev.txt"
    fleet = requirements / "fleet.txt"

    # In a folder of its own uv does not see the present constraints.
    with tempfile.TemporaryDirectory() as folder:
        base = ["--python-version", _read_python(project), *(["--upgrade"] if upgrade else [])]
        _compile(_collect_requirements(project), development, Path(folder), base, run)
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(_read_pins(development)), encoding="utf-8")
        options = [*base, "--constraints", str(constraints)]
        needed, extras = project["project"]["dependencies"], _collect_extras(project)
        _compile(needed, runtime, Path(folder), options, run)
        _compile([*needed, *extras], fleet, Path(folder), options, run)
    pins = _read_pins(development)
    _write_constraints(root / "pyproject.toml", pins)
    return len(pins)


def _compile(
    wanted: Sequence[str], output: Path, folder: Path, options: Sequence[str], run: RunCommand
) -> None:
    source = folder / f"{output.stem}.in"
    source.write_text("\n".join(wanted), encoding="utf-8")
    command = [
        *(*uv(), "pip", "compile", "--quiet", "--directory", str(folder), str(source)),
        *("--universal", "--generate-hashes", "--no-header", "--no-annotate"),
        *("--output-file", str(output), *options),
    ]
    if not run(command):
        raise CommandFailed("the dependencies cannot be pinned", target=" ".join(command))
    output.write_text(_HEADER + output.read_text(encoding="utf-8"), encoding="utf-8")


def _collect_requirements(project: dict[str, Any]) -> list[str]:
    """What any user or developer may install: dependencies, extras and groups."""
    groups = project.get("dependency-groups", {})
    return [
        *project["project"]["dependencies"],
        *_collect_extras(project),
        *(requirement for group in groups.values() for requirement in group),
    ]


def _collect_extras(project: dict[str, Any]) -> list[str]:
    """What the hosts of a fleet install beside the dependencies."""
    optional = project["project"].get("optional-dependencies", {})
    return [requirement for extra in optional.values() for requirement in extra]


def _read_python(project: dict[str, Any]) -> str:
    return str(project["project"]["requires-python"]).removeprefix(">=")


def _read_pins(requirements: Path) -> list[str]:
    text = requirements.read_text(encoding="utf-8")
    return [match["pin"] for match in _PIN.finditer(text)]


def _write_constraints(path: Path, pins: Sequence[str]) -> None:
    text = path.read_text(encoding="utf-8")
    block = "".join(f'    "{pin}",\n' for pin in pins)
    block = f"# Written by `invoke pins`.\nconstraint-dependencies = [\n{block}]\n"
    head, section, rest = _CONSTRAINTS.sub("", text).partition("[tool.uv]\n")
    settings, next_section, rest = rest.partition("\n[")
    written = f"{head}{section}{settings}{block}{next_section}{rest}"

    before, after = tomllib.loads(text), tomllib.loads(written)
    before["tool"]["uv"]["constraint-dependencies"] = list(pins)
    assert after == before, "pyproject.toml has another shape than this function knows"
    path.write_text(written, encoding="utf-8")
