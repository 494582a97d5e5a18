"""A git remote in the state folder, for what has no remote of its own."""

import os
import shutil
from pathlib import Path

from loreley.git.git import Git
from loreley.host.deadline import Deadline
from loreley.host.locks import hold_lock

_IDENTITY = {
    "GIT_AUTHOR_NAME": "Loreley",
    "GIT_AUTHOR_EMAIL": "loreley@localhost",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00+0000",
    "GIT_COMMITTER_NAME": "Loreley",
    "GIT_COMMITTER_EMAIL": "loreley@localhost",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00+0000",
}


def ensure_repository(template: Path, bare: Path, *, branch: str = "main") -> bool:
    """Make ``bare`` a repository whose ``branch`` holds the files of ``template``, once.

    The same files give the same commit everywhere. Returns whether it had to be made; a crash
    in between leaves nothing that looks like it.
    """
    with hold_lock(bare.with_suffix(".lock"), Deadline()):
        if bare.exists():
            return False
        unfinished = bare.with_suffix(f".{os.getpid()}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            _make(Git(), template, unfinished, branch)
            unfinished.rename(bare)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return True


def _make(git: Git, template: Path, folder: Path, branch: str) -> None:
    git.run(
        "init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}", "--", str(folder)
    )
    exclude = folder / "info" / "exclude"
    exclude.parent.mkdir(exist_ok=True)
    exclude.write_text("__pycache__/\n")
    where = (f"--git-dir={folder}", f"--work-tree={template}")
    git.run(*where, "add", "--all", "--", ".", cwd=template)
    tree = git.run(*where, "write-tree").decode().strip()
    commit = git.run(*where, "commit-tree", tree, "-m", "Begin", environment=_IDENTITY)
    git.run(*where, "update-ref", f"refs/heads/{branch}", commit.decode().strip())
