"""Programs that stand for others: the shims of version managers, followed to what they run."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from loreley.errors import CommandFailed, TimeLimitReached
from loreley.host import children
from loreley.host.deadline import Deadline

_ANSWER_SECONDS = 20.0
# A shim is a small script that calls its manager, or a link to the manager's own program.
_CALL = re.compile(
    rb"(?P<folder>/[^\"'\s]*/)?\b(?P<manager>asdf|(?:py|rb|nod|go|j|pl|lua|php|cr|ex|scala)env)[\"']?"
    rb"\s+exec\b"
)
_LINKED = {"mise": "mise", "volta-shim": "volta", "rtx": "rtx", "aqua-proxy": "aqua"}
_SCRIPT_BYTES = 4096


def find_manager(program: Path) -> str | None:
    """The version manager whose shim the file is; None where it is an ordinary program."""
    if program.is_symlink() and (manager := _LINKED.get(program.resolve().name)):
        return None if program.name == manager else manager
    try:
        with program.open("rb") as file:
            text = file.read(_SCRIPT_BYTES)
    except OSError:
        return None
    found = _CALL.search(text) if text.startswith(b"#!") else None
    return found["manager"].decode() if found else None


def follow_shim(program: Path, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The program that a shim runs here and now; None where its manager does not tell."""
    manager = find_manager(program)
    if manager is None:
        return program
    asked = shutil.which(manager, path=environ.get("PATH", os.defpath))
    if asked is None and program.is_symlink():
        beside = program.resolve().with_name(manager)
        asked = str(beside) if beside.is_file() else None
    if asked is None and (named := _find_named(program, manager)):
        asked = str(named)
    if asked is None:
        return None
    try:
        answer = children.capture(
            [asked, "which", program.name],
            env=dict(environ),
            deadline=Deadline.after(_ANSWER_SECONDS),
        )
    except (CommandFailed, TimeLimitReached):
        return None
    lines = answer.stdout.decode(errors="replace").strip().splitlines()
    real = Path(lines[-1].strip()) if lines else None
    if answer.exit_code or real is None or not os.access(real, os.X_OK) or real == program:
        return None
    return None if find_manager(real) else real


def _find_named(program: Path, manager: str) -> Path | None:
    """The manager at the path that its shim calls it by: it need not be on PATH."""
    with program.open("rb") as file:
        found = _CALL.search(file.read(_SCRIPT_BYTES))
    if found is None or not found["folder"]:
        return None
    named = Path(os.fsdecode(found["folder"])) / manager
    return named if os.access(named, os.X_OK) else None


def describe_shim(program: Path) -> str:
    """Why a shim that leads nowhere cannot be used."""
    manager = find_manager(program)
    return (
        f"{program} is a shim of {manager}, and `{manager} which {program.name}` names no program "
        f"here; in a sandbox there is no {manager}: install the program with it for this folder or "
        "for all, or put the real program's folder first into PATH"
    )
