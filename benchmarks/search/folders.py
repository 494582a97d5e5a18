"""Commits without git: what a commit holds, kept in memory and laid out in plain folders."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from hashlib import sha1
from pathlib import Path
from tempfile import TemporaryDirectory

from loreley.host.deadline import Deadline

Files = Mapping[str, bytes]  # by path


@dataclass(slots=True)
class Commits:
    """Every commit of one experiment, with its files and its parent."""

    _files: dict[str, Files] = field(default_factory=dict)
    _parents: dict[str, str | None] = field(default_factory=dict)

    def add(self, files: Files, parent: str | None) -> str:
        """Keep a commit; its id, the same for the same files and parent."""
        commit = sha1(f"{tree_of(files)} {parent}".encode()).hexdigest()
        self._files[commit], self._parents[commit] = dict(files), parent
        return commit

    def files(self, commit: str) -> Files:
        """What the commit holds."""
        return self._files[commit]

    def common_ancestor(self, first: str, second: str) -> str | None:
        """The latest commit that both descend from."""
        lineage = set(self._lineage(first))
        return next((commit for commit in self._lineage(second) if commit in lineage), None)

    @contextmanager
    def checked_out(self, commit: str) -> Iterator["Folder"]:
        """A folder with the commit's files, deleted at the end."""
        with TemporaryDirectory(prefix="loreley-bench-") as name:
            folder = Path(name).resolve()
            for path, content in self.files(commit).items():
                (folder / "worktree" / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / "worktree" / path).write_bytes(content)
            (folder / "scratch").mkdir()
            yield Folder(self, commit, folder)

    def _lineage(self, commit: str) -> Iterator[str]:
        current: str | None = commit
        while current is not None:
            yield current
            current = self._parents[current]


@dataclass(frozen=True, slots=True)
class Folder:
    """A checked-out commit, as the genetic agent asks for it."""

    commits: Commits
    base_commit: str
    folder: Path

    @property
    def path(self) -> Path:
        """The folder of the checkout."""
        return self.folder / "worktree"

    @property
    def scratch(self) -> Path:
        """A folder for the evaluator."""
        return self.folder / "scratch"

    def restore(self, deadline: Deadline) -> None:
        """The commit's files again, and nothing else."""
        del deadline
        for path in set(self.content()) - set(self.commits.files(self.base_commit)):
            (self.path / path).unlink()
        for path, content in self.commits.files(self.base_commit).items():
            (self.path / path).parent.mkdir(parents=True, exist_ok=True)
            (self.path / path).write_bytes(content)

    def tracked_files(self) -> list[str]:
        """Paths of all files of the base commit, sorted."""
        return sorted(self.commits.files(self.base_commit))

    def read(self, commit: str, path: str) -> bytes | None:
        """Content of ``path`` in ``commit``, or None where there is none."""
        return self.commits.files(commit).get(path)

    def common_ancestor(self, first: str, second: str) -> str | None:
        """The latest commit that both descend from."""
        return self.commits.common_ancestor(first, second)

    def content(self) -> Files:
        """What the folder holds now."""
        return {path: (self.path / path).read_bytes() for path in self.tracked_files()}

    def lend_git(self, folder: Path) -> Path:
        """There is no git."""
        raise NotImplementedError(folder)

    def patch(self, limit_bytes: int) -> str:
        """There is no git."""
        raise NotImplementedError(limit_bytes)

    def difference(self, commit: str, limit_bytes: int) -> str:
        """There is no git."""
        raise NotImplementedError(commit, limit_bytes)


def tree_of(files: Files) -> str:
    """The name of a tree: the same for the same files."""
    digest = sha1()
    for path, content in sorted(files.items()):
        digest.update(f"{path} {len(content)} ".encode() + content)
    return digest.hexdigest()


def read_folder(folder: Path) -> Files:
    """The files below ``folder``, without Python's byte code."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def edit_distance(old: Files, new: Files) -> int:
    """Lines added and removed between two states."""
    return sum(
        _changed_lines(old.get(path, b""), new.get(path, b""))
        for path in sorted({*old, *new})
        if old.get(path) != new.get(path)
    )


def _changed_lines(old: bytes, new: bytes) -> int:
    before, after = old.splitlines(), new.splitlines()
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    same = sum(block.size for block in blocks)
    return len(before) + len(after) - 2 * same
