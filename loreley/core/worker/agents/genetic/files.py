"""Which files of a checkout may be changed, and how they are read and written."""

import io
import os
import stat
import tokenize
import warnings
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from loreley.core.worker.untrusted import UnusableFile, read_file
from loreley.errors import AgentFailed

LARGEST_BYTES = 256 * 1024

_FOREIGN_FOLDERS = frozenset(
    {"vendor", "vendored", "_vendor", "third_party", "node_modules", "site-packages", "venv"}
)
_BUILT_FOLDERS = frozenset({"build", "dist", "__pycache__"})
_TEST_FOLDERS = frozenset({"test", "tests", "testing"})
_GENERATED_ENDINGS = ("_pb2.py", "_pb2_grpc.py", "_generated.py", ".gen.py")
_GENERATED_MARKS = ("@generated", "DO NOT EDIT", "do not edit")
_MARK_CHARACTERS = 1024  # a generated file says so at its top


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A Python file that compiles; ``text`` in ``encoding`` is its content to the byte."""

    path: str
    text: str
    encoding: str

    def encoded(self, text: str) -> bytes | None:
        """``text`` as this file's content, or None where it cannot be or does not compile."""
        try:
            content = text.encode(self.encoding)
        except UnicodeEncodeError:
            return None
        return content if compiles(content) else None


def may_change(path: str) -> bool:
    """Whether a file is one to improve: Python, and neither test, generated nor foreign.

    Tests say what the program is to do; a search that may change them improves nothing.
    """
    *folders, name = PurePosixPath(path).parts
    if not name.endswith(".py") or name.endswith(_GENERATED_ENDINGS):
        return False
    if name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py":
        return False
    avoided = _FOREIGN_FOLDERS | _BUILT_FOLDERS | _TEST_FOLDERS
    return not any(folder in avoided or folder.startswith(".") for folder in folders)


def read_source(folder: Path, path: str) -> SourceFile | None:
    """The file at ``path`` below ``folder``, or None where it is not one to work on.

    Not to work on is what is missing, no regular file, reached through a symbolic link, larger
    than `LARGEST_BYTES`, marked as generated, or no Python that compiles.
    """
    try:
        content = read_file(folder, path, limit_bytes=LARGEST_BYTES)
    except UnusableFile:
        return None
    decoded = _decoded(content)
    if decoded is None or not compiles(content):
        return None
    text, encoding = decoded
    if any(mark in text[:_MARK_CHARACTERS] for mark in _GENERATED_MARKS):
        return None
    return SourceFile(path, text, encoding)


def decoded_like(content: bytes, model: str) -> str | None:
    """Python source from a commit, with the line ends of ``model``; None where undecodable."""
    decoded = _decoded(content) if len(content) <= LARGEST_BYTES else None
    if decoded is None:
        return None
    text = decoded[0].replace("\r\n", "\n")
    return text.replace("\n", "\r\n") if "\r\n" in model else text


def write_content(folder: Path, path: str, content: bytes) -> None:
    """Replace what the regular file at ``path`` holds; its mode and place stay as they are."""
    target = folder / path
    if target.resolve() != folder.resolve() / path:
        raise AgentFailed("a file of the worktree is a link", target=path)
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "wb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
                raise AgentFailed("a file of the worktree is shared or special", target=path)
            file.truncate(0)
            file.write(content)
    except OSError as error:
        raise AgentFailed(
            "a file of the worktree cannot be written", target=path, reason=str(error)
        ) from error


def compiles(content: bytes) -> bool:
    """Whether Python takes ``content`` for a module."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(content, "<candidate>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        return False
    return True


def _decoded(content: bytes) -> tuple[str, str] | None:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = content.decode(encoding)
    except (SyntaxError, UnicodeDecodeError):
        return None
    return (text, encoding) if text.encode(encoding) == content else None
