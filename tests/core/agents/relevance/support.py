"""A workspace of a few files and told differences."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loreley.core.agents.protocol import Brief, BriefCommit

BASE = "0" * 40


@dataclass(frozen=True, slots=True)
class Folder:
    """Files in a folder as an agent's workspace; ``differences`` are diffs by commit."""

    path: Path
    differences: Mapping[str, str] = field(default_factory=dict)
    base_commit: str = BASE

    @property
    def scratch(self) -> Path:
        return self.path.parent

    def add(self, path: str, text: str) -> None:
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def tracked_files(self) -> list[str]:
        found = (path for path in self.path.rglob("*") if path.is_file() or path.is_symlink())
        return sorted(path.relative_to(self.path).as_posix() for path in found)

    def read(self, commit: str, path: str) -> bytes | None:
        return None

    def common_ancestor(self, first: str, second: str) -> str | None:
        return None

    def lend_git(self, folder: Path) -> Path:
        return folder

    def patch(self, limit_bytes: int) -> str:
        return ""

    def difference(self, commit: str, limit_bytes: int) -> str:
        return self.differences.get(commit, "")[:limit_bytes]


def brief(goal: str = "Make it faster.", base: BriefCommit | None = None) -> Brief:
    return Brief(7, goal, base or BriefCommit(BASE))


def functions(*names: str, lines: int = 30) -> str:
    """A module with these functions, each of so many lines."""
    bodies = (
        f"def {name}(value):\n" + "".join(f"    value += {n}\n" for n in range(lines))
        for name in names
    )
    return "\n\n".join(bodies) + "\n"
