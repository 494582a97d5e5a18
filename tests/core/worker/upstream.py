"""A git remote for tests, made by plain git, and what can be asked of it from outside."""

import atexit
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from loreley.core.worker.repository import RepositoryOptions, WorkerRepository, Worktree
from loreley.host.deadline import Deadline

FILES: Mapping[str, str | bytes] = {
    "README.md": "Circles\n",
    "src/pack.py": "radius = 1.0\ncount = 26\n",
    "src/deep/er/leaf.py": "leaf = True\n",
    "data.bin": b"\0\1\2\3",
    ".gitignore": "*.pyc\ncache/\n",
}


def soon(seconds: float = 60.0) -> Deadline:
    return Deadline.after(seconds)


def git(*arguments: str, cwd: Path, **environment: str) -> str:
    return subprocess.run(
        ["git", *arguments],
        cwd=cwd,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    ).stdout.strip()


@dataclass(frozen=True, slots=True)
class Upstream:
    """A bare repository at ``path`` and a clone of it at ``author`` in which commits are made."""

    path: Path
    author: Path

    @classmethod
    def create(
        cls, folder: Path, files: Mapping[str, str | bytes] = FILES, *init_options: str
    ) -> "Upstream":
        if files is FILES and not init_options:
            shutil.copytree(_usual(), folder, dirs_exist_ok=True)
            return cls(folder / "remote.git", folder / "author")
        return cls._made(folder, files, *init_options)

    @classmethod
    def _made(
        cls, folder: Path, files: Mapping[str, str | bytes], *init_options: str
    ) -> "Upstream":
        upstream = cls(folder / "remote.git", folder / "author")
        folder.mkdir(parents=True, exist_ok=True)
        init = ("init", "-q", "-b", "main", "--template=", *init_options)
        git(*init, "--bare", str(upstream.path), cwd=folder)
        git(*init, str(upstream.author), cwd=folder)
        git("remote", "add", "origin", "../remote.git", cwd=upstream.author)
        upstream.commit(files)
        return upstream

    def commit(
        self,
        files: Mapping[str, str | bytes | None],
        *,
        branch: str = "main",
        message: str = "change",
        date: int = 1_700_000_000,
    ) -> str:
        """Write files (None deletes), commit all, push to ``branch``; the commit."""
        for name, content in files.items():
            path = self.author / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        git("add", "-A", cwd=self.author)
        dates = {"GIT_AUTHOR_DATE": f"{date} +0000", "GIT_COMMITTER_DATE": f"{date} +0000"}
        git("commit", "-q", "--allow-empty", "-m", message, cwd=self.author, **dates)
        git("push", "-q", "origin", f"HEAD:refs/heads/{branch}", cwd=self.author)
        return self.head()

    def head(self) -> str:
        return git("rev-parse", "HEAD", cwd=self.author)

    def show(self, revision: str) -> str:
        return git("show", revision, cwd=self.path)

    def files_of(self, commit: str) -> list[str]:
        return git("ls-tree", "-r", "--name-only", commit, cwd=self.path).splitlines()


def opened(upstream: Upstream, base: Path, **options: object) -> WorkerRepository:
    """A prepared repository; the caller closes it."""
    repository = WorkerRepository(
        RepositoryOptions(str(upstream.path), base, **options)  # type: ignore[arg-type]
    )
    repository.prepare(soon())
    return repository


@cache
def _usual() -> Path:
    """A folder with the usual upstream, made once for each test process."""
    folder = Path(tempfile.mkdtemp(prefix="loreley-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Upstream._made(folder, FILES)
    return folder


def contents(folder: Path) -> dict[str, object]:
    """Everything below a folder but its own .git: what kind of thing, which mode, what content."""
    found: dict[str, object] = {}
    for parent, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(parent, name)
            relative = str(path.relative_to(folder))
            if relative == ".git":
                continue
            if path.is_symlink():
                found[relative] = ("link", str(path.readlink()))
            elif path.is_file():
                # Git sees other bits only when they change in a later second than the checkout.
                is_executable = bool(path.stat().st_mode & stat.S_IXUSR)
                found[relative] = ("file", is_executable, path.read_bytes())
            else:
                found[relative] = ("other", path.stat().st_mode)
    return found


def leftovers(repository: WorkerRepository) -> list[str]:
    """What stands beside spare slots, and what of a slot is not whole."""
    worktrees, admin = repository.worktrees, repository.base / ".git" / "worktrees"
    slots = {path.stem for path in (worktrees / ".slots").glob("*.owner")}
    whole = {
        f"{slot}{suffix}" for slot in slots for suffix in ("", ".owner", ".index", ".index-folders")
    }
    known = {".slots", ".lock", ".trash", ".scratch", ".submodules"}
    found = [str(path) for path in worktrees.iterdir() if path.name not in known]
    for folder in (".trash", ".scratch"):
        found += [str(path) for path in (worktrees / folder).glob("*")]
    slot_files = (path.name for path in (worktrees / ".slots").glob("*"))
    # A checkout that was cut off leaves no commit that its index holds.
    known_commits = {f"{slot}.index-commit" for slot in slots}
    present = {name for name in slot_files if ".index-module-" not in name} - known_commits
    found += sorted(present ^ whole)
    found += sorted({path.name for path in admin.glob("*")} ^ slots)
    found += [str(path) for path in (repository.base / ".git").rglob("*.lock")]
    return found


def committed(worktree: Worktree) -> dict[str, str]:
    """What the candidate changes: path → git's letter."""
    candidate = worktree.commit_all("subject", "", soon())
    lines = git(
        *("diff-tree", "-r", "--name-status", "--no-renames"),
        *(worktree.base_commit, candidate.commit),
        cwd=worktree.path,
    )
    return {path: letter for letter, path in (line.split("\t") for line in lines.splitlines())}


def names_in(folder: Path) -> list[str]:
    """What stands in a folder."""
    return [path.name for path in folder.iterdir()]


def slots_of(repository: WorkerRepository) -> list[str]:
    """The slots of a repository, by their owner files."""
    return sorted(path.stem for path in (repository.worktrees / ".slots").glob("*.owner"))
