"""Where a coding agent's program is, and which folders it needs to see to run."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loreley.core.sandbox.runtimes import read_interpreter_name, why_not_run
from loreley.core.sandbox.shims import describe_shim, follow_shim


@dataclass(frozen=True, slots=True)
class Program:
    """An installed program; ``path`` is free of symbolic links."""

    path: Path
    folders: tuple[Path, ...]  # with its code and what runs it
    search_first: tuple[Path, ...] = ()  # where its interpreter is, if PATH has only a shim of it


def find_program(name: str, search_path: str) -> Program | None:
    """The program of this name, or at this path; None where there is none."""
    found = shutil.which(os.path.expanduser(name), path=search_path)  # noqa: PTH111
    followed = follow_shim(Path(found).absolute()) if found else None
    if followed is None:
        return None
    path = followed.resolve()
    folders, first = [*_find_package(path)], []
    if interpreter := _find_interpreter(path, search_path):
        folders += interpreter.folders
        first = [interpreter.path.parent] if interpreter.is_behind_shim else []
    return Program(path, tuple(dict.fromkeys(folders)), tuple(first))


def why_unusable(name: str, search_path: str) -> str:
    """Why there is nothing to run by this name, or at this path; empty where there is."""
    name = os.path.expanduser(name)  # noqa: PTH111
    found = shutil.which(name, path=search_path)
    if found is None:
        if (file := _find_file(name, search_path)) is not None:
            return f"{file} may not be executed"
        return "there is no such file" if "/" in name else "it is not on PATH"
    if follow_shim(Path(found).absolute()) is None:
        return describe_shim(Path(found).absolute())
    return why_not_run(Path(found), search_path)


def _find_file(name: str, search_path: str) -> Path | None:
    folders = [""] if "/" in name else search_path.split(os.pathsep)
    paths = (Path(folder, name) for folder in folders)
    return next((path for path in paths if path.is_file()), None)


def _find_package(path: Path) -> Iterator[Path]:
    """The folder of the package that the file belongs to, or the file alone."""
    for folder in reversed(path.parents):
        if folder.name == "node_modules":
            yield folder
            return
        if (folder / "pyvenv.cfg").is_file():
            yield folder
            python = folder / "bin" / "python"
            if python.exists():
                yield python.resolve().parents[1]
            return
    yield path


@dataclass(frozen=True, slots=True)
class _Interpreter:
    path: Path
    folders: tuple[Path, ...]
    is_behind_shim: bool


def _find_interpreter(path: Path, search_path: str) -> _Interpreter | None:
    """What the file's first line names, such as node."""
    name = read_interpreter_name(path)
    found = shutil.which(name, path=search_path) if name else None
    if found is None:
        return None
    named = Path(found).absolute()
    followed = follow_shim(named)
    real = (followed or named).resolve()
    # A folder such as /usr is seen anyway; a person's home folder must not be.
    around = real.parents[1] if real.parent.name == "bin" else real
    return _Interpreter(
        followed or named, (followed or named, around), followed not in (None, named)
    )
