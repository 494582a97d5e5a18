"""Where a coding agent's program is, and which folders it needs to see to run."""

import os
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
    folders = [*_package(path), *_interpreter(path, search_path)]
    return Program(path, tuple(dict.fromkeys(folders)))


def _package(path: Path) -> Iterator[Path]:
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


def _interpreter(path: Path, search_path: str) -> Iterator[Path]:
    """The folder of what the file's first line names, such as node's."""
    with path.open("rb") as file:
        first = file.readline(200)
    if not first.startswith(b"#!"):
        return
    words = first[2:].decode(errors="replace").split()
    if words and Path(words[0]).name == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    interpreter = shutil.which(words[0], path=search_path) if words else None
    if interpreter is not None:
        yield Path(interpreter).absolute()
        real = Path(interpreter).resolve()
        # A folder such as /usr is seen anyway; a person's home folder must not be.
        yield real.parents[1] if real.parent.name == "bin" else real
