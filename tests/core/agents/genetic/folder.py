"""A workspace that is a plain folder, with other commits as mappings of paths to contents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loreley.core.agents.protocol import Brief, BriefCommit

BASE = "a" * 40
MATE = "b" * 40
OTHER = "c" * 40


@dataclass
class Folder:
    """What an agent edits; it fulfils `Workspace`."""

    path: Path
    commits: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    base_commit: str = BASE
    ancestor: str | None = None

    def tracked_files(self) -> list[str]:
        files = (path for path in self.path.rglob("*") if path.is_file() and not path.is_symlink())
        return sorted(str(path.relative_to(self.path)) for path in files)

    def read(self, commit: str, path: str) -> bytes | None:
        content = self.commits.get(commit, {}).get(path)
        return None if content is None else content.encode()

    def common_ancestor(self, first: str, second: str) -> str | None:
        return self.ancestor

    def contents(self) -> dict[str, bytes]:
        return {path: (self.path / path).read_bytes() for path in self.tracked_files()}


def folder(path: Path, files: Mapping[str, str | bytes]) -> Folder:
    """A workspace that holds these files."""
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    return Folder(path)


def brief(seed: int = 1, *, inspirations: Sequence[str] = (), **more: Any) -> Brief:
    """A job for the agent."""
    mates = tuple(BriefCommit(commit) for commit in inspirations)
    return Brief(seed=seed, goal="Better.", base=BriefCommit(BASE), inspirations=mates, **more)
