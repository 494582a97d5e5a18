"""The files of a checkout as a chat model edits them: text in, text out, never beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loreley.core.worker.paths import PathRules
from loreley.core.worker.untrusted import UnusableFile, read_file
from loreley.errors import AgentFailed

_LARGEST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class CheckedOut:
    """A folder that nobody else changes meanwhile; paths are relative to it."""

    folder: Path
    rules: PathRules

    def text(self, path: str) -> str | None:
        """The file's text with plain line ends; None where there is no text file."""
        content = self._content(path)
        return None if content is None else content.replace("\r\n", "\n")

    def objection_to(self, path: str) -> str | None:
        """Why the path may not be written, or None."""
        if objection := self.rules.objection_to(path):
            return objection
        target, top = self.folder / path, self.folder.resolve()
        if target.is_symlink() or not target.parent.resolve().is_relative_to(top):
            return "it is reached through a symbolic link"
        if target.is_dir():
            return "it is a folder"
        return None

    def write(self, contents: Mapping[str, str]) -> None:
        """Write these files, each with the line ends that it had; raises `AgentFailed`."""
        for path, text in contents.items():
            has_crlf = "\r\n" in (self._content(path) or "")
            target = self.folder / path
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes((text.replace("\n", "\r\n") if has_crlf else text).encode())
            except (OSError, UnicodeEncodeError) as error:
                raise AgentFailed(
                    "a file cannot be written", target=path, reason=str(error)
                ) from error

    def _content(self, path: str) -> str | None:
        try:
            return read_file(self.folder, path, limit_bytes=_LARGEST_BYTES).decode()
        except (UnusableFile, UnicodeDecodeError):
            return None
