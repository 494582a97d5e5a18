"""Starting the commands that are measured or that stand for the bare work."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from loreley.ops.replace_process import child_environment

ROOT = Path(__file__).resolve().parent.parent

_IDENTITY = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "bench"), ("EMAIL", "bench@localhost"))
}


def environment() -> dict[str, str]:
    """What both sides are started with: byte code is used, git has no configuration of a user's."""
    return (
        child_environment()
        | _IDENTITY
        | {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    )


def run(argv: Sequence[str], *, cwd: Path = ROOT, more: Mapping[str, str] | None = None) -> None:
    """Run a command to its end, its output thrown away; raises when it fails."""
    subprocess.run(
        argv,
        cwd=cwd,
        env=environment() | dict(more or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=True,
    )


def python(*arguments: str) -> None:
    """Run this Python."""
    run([sys.executable, *arguments])
