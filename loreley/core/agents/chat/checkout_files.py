"""The files of a checkout as a chat model edits them: text in, text out, never beside it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loreley.core.agents.edit_rules import PathRules
from loreley.core.agents.genetic.source.alignment import align
from loreley.core.sandbox.untrusted_files import UnusableFile, read_file
from loreley.errors import AgentFailed

_LARGEST_BYTES = 4 * 1024 * 1024
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class CheckoutFiles:
    """A folder that nobody else changes meanwhile; paths are relative to it."""

    folder: Path
    rules: PathRules

    def text(self, path: str) -> str | None:
        """The file's text with plain line ends; None where there is no text file."""
        content = self._read(path)
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
        if any(folder.is_file() for folder in target.parents if folder.is_relative_to(self.folder)):
            return "what it names as a folder is a file"
        if target.exists() and self._read(path) is None:
            return "it is no text in UTF-8 of at most 4 MiB, and stays as it is"
        return None

    def write(self, contents: Mapping[str, str]) -> None:
        """Write these files, each with the line ends that it had; raises `AgentFailed`."""
        for path, text in contents.items():
            content = _restore_line_ends(self._read(path) or "", text)
            target = self.folder / path
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.encode())
            except (OSError, UnicodeEncodeError) as error:
                raise AgentFailed(
                    "a file cannot be written", target=path, reason=str(error)
                ) from error

    def _read(self, path: str) -> str | None:
        try:
            return read_file(self.folder, path, limit_bytes=_LARGEST_BYTES).decode()
        except (UnusableFile, UnicodeDecodeError):
            return None


def _restore_line_ends(old: str, text: str) -> str:
    """The text with CRLF where the old one has it; where that is mixed, each kept line its own."""
    crlf, all_ends = old.count("\r\n"), old.count("\n")
    if crlf in (0, all_ends):
        return text.replace("\n", "\r\n") if crlf else text
    before, after = _LINE.findall(old), _LINE.findall(text)
    usual = "\r\n" if 2 * crlf > all_ends else "\n"
    lines = [line.replace("\n", usual) for line in after]
    for block in align([line.replace("\r\n", "\n") for line in before], after):
        there, here = block.theirs, block.ours
        lines[there : there + block.lines] = before[here : here + block.lines]
    return "".join(lines)
