"""Git repositories to measure with."""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.commands import environment, run

_FILES_PER_FOLDER = 100


def make_remote(path: Path, *, files: int, commits: int = 1, changed: int = 5) -> list[str]:
    """A bare repository with so many small files on `main`; its commits, the oldest first.

    Each commit after the first changes ``changed`` files.
    """
    run(["git", "init", "-q", "--bare", "-b", "main", str(path)], cwd=path.parent)
    stream = b"".join(_stream(files, commits, changed))
    subprocess.run(
        ["git", "fast-import", "--quiet"], cwd=path, env=environment(), input=stream, check=True
    )
    return _output(["git", "rev-list", "--reverse", "main"], path).split()


def clone(remote: Path, folder: Path) -> None:
    """A clone of the remote, checked out."""
    run(["git", "clone", "-q", str(remote), str(folder)], cwd=remote.parent)


def _stream(files: int, commits: int, changed: int) -> Iterator[bytes]:
    for number in range(commits):
        yield b"commit refs/heads/main\n"
        yield f"committer bench <bench@localhost> {1_700_000_000 + number} +0000\n".encode()
        yield _data(f"Commit {number}\n")
        for file in range(files if number == 0 else changed):
            yield f"M 100644 inline {file_name(file)}\n".encode()
            yield _data("".join(f"VALUE_{line} = {file + number * line}\n" for line in range(20)))
        yield b"\n"


def file_name(number: int) -> str:
    """The path of a file of the repository, by its number."""
    return f"folder_{number // _FILES_PER_FOLDER:03}/module_{number % _FILES_PER_FOLDER:02}.py"


def _data(text: str) -> bytes:
    content = text.encode()
    return b"data %d\n%s\n" % (len(content), content)


def _output(argv: Sequence[str], cwd: Path) -> str:
    done = subprocess.run(argv, cwd=cwd, env=environment(), check=True, capture_output=True)
    return done.stdout.decode()
