"""Which files of a checkout may be changed, and how they are read and written."""

import io
import os
import stat
import tokenize
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from loreley.core.agents.genetic.source.languages import PYTHON, Language, language_of
from loreley.core.sandbox.untrusted_files import UnusableFile, read_file
from loreley.errors import AgentFailed

LARGEST_BYTES = 256 * 1024

_FOREIGN_FOLDERS = frozenset(
    {"vendor", "vendored", "_vendor", "third_party", "node_modules", "site-packages", "venv"}
)
_BUILT_FOLDERS = frozenset({"build", "dist", "target", "out", "__pycache__"})
_TEST_FOLDERS = frozenset({"test", "tests", "testing", "spec", "__tests__"})
_DOCUMENT_FOLDERS = frozenset({"doc", "docs"})
_AVOIDED = _FOREIGN_FOLDERS | _BUILT_FOLDERS | _TEST_FOLDERS | _DOCUMENT_FOLDERS
_TEST_NAMES = (
    "test_*",
    "*_test.*",
    "*.test.*",
    "*_spec.*",
    "*.spec.*",
    "*Test.java",
    "conftest.py",
)
_BUILD_NAMES = ("setup.py", "noxfile.py", "build.rs", "build.zig", "*.config.js", "*.config.ts")
_GENERATED_NAMES = ("*_pb2.py", "*_pb2_grpc.py", "*.pb.*", "*_generated.*", "*.gen.*", "*.min.js")
# Of the tools around a program, not of the program.
_TOOL_NAMES = (
    *("package.json", "package-lock.json", "npm-shrinkwrap.json", "tsconfig*.json"),
    *("jsconfig.json", "composer.json", "renovate.json", "vercel.json", "*.schema.json"),
    *("Cargo.toml", "pyproject.toml", "poetry.toml", "uv.toml", "ruff.toml", "rust-toolchain.toml"),
    *("setup.cfg", "tox.ini", "pytest.ini", "mypy.ini"),
    *("mkdocs.y*ml", "docker-compose*.y*ml", "compose.y*ml", "pnpm-*.yaml", "environment.y*ml"),
    *("codecov.y*ml", "appveyor.y*ml", "gradle.properties", "gradle-wrapper.properties"),
)
_AVOIDED_NAMES = (*_TOOL_NAMES, *_TEST_NAMES, *_BUILD_NAMES, *_GENERATED_NAMES)
_GENERATED_MARKS = ("@generated", "DO NOT EDIT", "do not edit")
_MARK_CHARACTERS = 1024  # a generated file says so at its top


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that its language accepts; ``text`` in ``encoding`` is its content to the byte."""

    path: str
    text: str
    encoding: str
    language: Language

    def encoded(self, text: str) -> bytes | None:
        """``text`` as this file's content, or None where it cannot be or is not accepted."""
        try:
            content = text.encode(self.encoding)
        except UnicodeEncodeError:
            return None
        return content if self.language.accepts(content) else None


def may_change(path: str) -> bool:
    """Whether a file is one to improve: source or settings, and no test, generated or foreign.

    Tests say what the program is to do; a search that may change them improves nothing.
    """
    *folders, name = PurePosixPath(path).parts
    if language_of(name) is None or any(fnmatchcase(name, each) for each in _AVOIDED_NAMES):
        return False
    return not any(folder in _AVOIDED or folder.startswith(".") for folder in folders)


def read_source(folder: Path, path: str) -> SourceFile | None:
    """The file at ``path`` below ``folder``, or None where it is not one to work on.

    Not to work on is what is missing, no regular file, reached through a symbolic link, larger
    than `LARGEST_BYTES`, marked as generated, or not accepted by its language.
    """
    language = language_of(path)
    if language is None:
        return None
    try:
        content = read_file(folder, path, limit_bytes=LARGEST_BYTES)
    except UnusableFile:
        return None
    decoded = _decode(content, language)
    if decoded is None or not language.accepts(content):
        return None
    text, encoding = decoded
    if any(mark in text[:_MARK_CHARACTERS] for mark in _GENERATED_MARKS):
        return None
    return SourceFile(path, text, encoding, language)


def decode_like(content: bytes, model: SourceFile) -> str | None:
    """Another version of a file, with the line ends of ``model``; None where undecodable.

    Where those are of both kinds the version keeps its own.
    """
    decoded = _decode(content, model.language) if len(content) <= LARGEST_BYTES else None
    if decoded is None:
        return None
    crlf = model.text.count("\r\n")
    if 0 < crlf < model.text.count("\n"):
        return decoded[0]
    text = decoded[0].replace("\r\n", "\n")
    return text.replace("\n", "\r\n") if crlf else text


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


def _decode(content: bytes, language: Language) -> tuple[str, str] | None:
    try:
        encoding = _detect_encoding(content, language)
        text = content.decode(encoding)
    except (SyntaxError, UnicodeDecodeError):
        return None
    return (text, encoding) if text.encode(encoding) == content else None


def _detect_encoding(content: bytes, language: Language) -> str:
    if language is PYTHON:
        return tokenize.detect_encoding(io.BytesIO(content).readline)[0]
    try:
        content.decode()
    except UnicodeDecodeError:
        return "latin-1"  # any byte is a character, and comes back as it was
    return "utf-8"
