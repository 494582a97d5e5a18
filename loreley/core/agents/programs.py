"""Where a coding agent's program is, and which folders it needs to see to run."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Program:
    """An installed program; ``path`` is free of symbolic links."""

    path: Path
    folders: tuple[Path, ...]  # with its code and what runs it


def find_program(name: str, search_path: str) -> Program | None:
    """The program of this name, or at this path; None where there is none."""
    found = shutil.which(os.path.expanduser(name), path=search_path)  # noqa: PTH111
    if found is None:
        return None
    path = Path(found).resolve()
    folders = [*_find_package(path), *_find_interpreter(path, search_path)]
    return Program(path, tuple(dict.fromkeys(folders)))


def why_unusable(name: str, search_path: str) -> str:
    """Why there is nothing to run by this name, or at this path; empty where there is."""
    name = os.path.expanduser(name)  # noqa: PTH111
    found = shutil.which(name, path=search_path)
    if found is None:
        if (file := _find_file(name, search_path)) is not None:
            return f"{file} may not be executed"
        return "there is no such file" if "/" in name else "it is not on PATH"
    interpreter = _read_interpreter_name(Path(found))
    if interpreter and shutil.which(interpreter, path=search_path) is None:
        return f"its first line names {interpreter!r}, which is not installed"
    return ""


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


def _find_interpreter(path: Path, search_path: str) -> Iterator[Path]:
    """The folder of what the file's first line names, such as node's."""
    name = _read_interpreter_name(path)
    interpreter = shutil.which(name, path=search_path) if name else None
    if interpreter is not None:
        yield Path(interpreter).absolute()
        real = Path(interpreter).resolve()
        # A folder such as /usr is seen anyway; a person's home folder must not be.
        yield real.parents[1] if real.parent.name == "bin" else real


def _read_interpreter_name(path: Path) -> str:
    """What the file's first line says it is run by; empty where it says nothing of the kind."""
    try:
        with path.open("rb") as file:
            first = file.readline(200)
    except PermissionError:  # a binary may be run without being read
        return ""
    if not first.startswith(b"#!"):
        return ""
    # Not split at a carriage return: for the kernel it is a part of the name.
    words = re.findall(r"[^ \t\n]+", first[2:].decode(errors="replace"))
    if words and Path(words[0]).name == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    return words[0] if words else ""
