"""What a program needs beside its own file: its environment, its interpreter."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

_MARKS = ("pyvenv.cfg", "conda-meta")  # of an environment's folder
_MOST_LINKS = 10
_SYSTEM = ("/usr", "/bin", "/lib", "/opt/bin", "/")


def find_runtime(program: Path, search_path: str) -> Iterator[Path]:
    """Folders that a program must be able to read to run; ``program`` may be a symbolic link."""
    yield from _find_environments(program)
    name = read_interpreter_name(program)
    interpreter = shutil.which(name, path=search_path) if name else None
    if interpreter is not None:
        yield Path(interpreter).absolute()
        yield from _find_environments(Path(interpreter))


def read_interpreter_name(path: Path) -> str:
    """What the file's first line says it is run by; empty where it says nothing of the kind."""
    try:
        with path.open("rb") as file:
            first = file.readline(200)
    except OSError:  # a binary may be run without being read
        return ""
    if not first.startswith(b"#!"):
        return ""
    # Not split at a carriage return: for the kernel it is a part of the name.
    words = re.findall(r"[^ \t\n]+", first[2:].decode(errors="replace"))
    if words and Path(words[0].rstrip("\r")).name == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    return words[0] if words else ""


def why_not_run(program: Path, search_path: str) -> str:
    """Why a program that exists cannot be started: its first line names what is missing."""
    if _begins_with_mark(program):
        return (
            "the file begins with a byte order mark, so that its first line names no interpreter: "
            "save it as UTF-8 without one"
        )
    name = read_interpreter_name(program)
    if not name or shutil.which(name, path=search_path) is not None:
        return ""
    if name.endswith("\r"):
        plain = name.rstrip("\r")
        return (
            f"its first line names {name!r}, which does not exist: the file has Windows line ends "
            f"(CRLF); save it with Unix line ends (LF), or call it by {plain!r}"
        )
    return f"its first line names {name!r}, which is not installed"


def _begins_with_mark(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(5) == b"\xef\xbb\xbf#!"
    except OSError:
        return False


def _find_environments(program: Path) -> Iterator[Path]:
    """The folders of an environment, of what it was made from, and of links between the two."""
    path = Path(program).absolute()
    for _ in range(_MOST_LINKS):
        folder = path.parent.parent
        if path.parent.name in ("bin", "Scripts") and _is_runtime(folder):
            yield folder
        if not path.is_symlink():
            return
        path = path.parent / path.readlink()


def _is_runtime(folder: Path) -> bool:
    """Whether the folder holds an environment or an interpreter's library and nothing of a person.

    What belongs to the system is seen anyway.
    """
    if str(folder) in _SYSTEM or folder == Path.home() or folder.name == ".local":
        return False
    is_marked = any((folder / mark).exists() for mark in _MARKS)
    return (
        is_marked
        or any((folder / "lib").glob("python3*"))
        or (folder / "lib/node_modules").is_dir()
    )
