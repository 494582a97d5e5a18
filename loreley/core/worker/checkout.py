"""One folder of checked-out files that an agent may have done anything to."""

import os
import shutil
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Unpack

from loreley.core.git import CallOptions
from loreley.core.git_environment import Config
from loreley.core.git_failures import failure
from loreley.core.objects import GITLINK_MODE, Entry, ObjectStore
from loreley.core.worker.disposal import open_folders
from loreley.deadline import Deadline
from loreley.errors import GitError
from loreley.proc import Completed

_FAST: Config = (("checkout.workers", "4"), ("advice.detachedHead", "false"))


@dataclass(frozen=True, slots=True)
class Checkout:
    """The files of one commit at ``path``, with an index that the agent does not see.

    Git is told the repository, the work tree and the index, so that neither the ``.git`` file
    nor the index an agent can reach decide anything. ``index`` is only ever written by
    `restore`; since it remembers size, times and inode of each file as git wrote them, whatever
    has been touched since is found.
    """

    store: ObjectStore
    path: Path
    index: Path
    excludes: Sequence[str] = ()  # patterns of untracked files that may stay
    filters: Config = ()  # of Git LFS, where it is used
    _folders: dict[str, list[Entry]] = field(default_factory=dict, init=False)

    def restore(self, commit: str, deadline: Deadline) -> None:
        """Make the folder hold exactly the files of ``commit``; raises `GitError` if it cannot.

        Costs a look at every file and writes those that differ. What may stay are untracked
        files that match the excludes. Submodules stay empty folders.
        """
        self.index.with_name(f"{self.index.name}.lock").unlink(missing_ok=True)
        try:
            self._restore(commit, deadline)
        except (GitError, OSError):
            # Read-only folders, as some package caches have them, stop git.
            open_folders(self.path)
            try:
                self._restore(commit, deadline)
            except OSError as error:
                raise GitError(
                    "cannot clean a worktree", target=str(self.path), reason=str(error)
                ) from error

    def _restore(self, commit: str, deadline: Deadline) -> None:
        self._remove_false_folders(commit)
        self.run("read-tree", "--reset", "-u", commit, config=_FAST, deadline=deadline)
        patterns = [f"--exclude={pattern}" for pattern in self.excludes]
        self.run("clean", "-q", "-x", "-d", "-ff", *patterns, deadline=deadline)
        self._remove_what_git_overlooks(commit)
        names = [os.fsencode(entry.path) for entry in self.folders(commit)]
        self._folder_list.write_bytes(b"\0".join(names))

    def _remove_false_folders(self, commit: str) -> None:
        """Links in the place of tracked folders: git would take what they lead to for its own."""
        with suppress(FileNotFoundError):
            before = self._folder_list.read_bytes().split(b"\0")
            names = {os.fsdecode(name) for name in before if name}
            for name in sorted(names | {entry.path for entry in self.folders(commit)}):
                folder = self.path / name
                if folder.is_symlink():
                    folder.unlink()

    @property
    def _folder_list(self) -> Path:
        return self.index.with_name(f"{self.index.name}-folders")

    def _remove_what_git_overlooks(self, commit: str) -> None:
        """Pipes, devices and repositories inside tracked folders, files in submodules' folders.

        The folders' modes, too, are none of git's business.
        """
        mode = stat.S_IMODE(self.path.parent.stat().st_mode)
        _tidy_folder(self.path, mode, _is_odd)
        for entry in self.folders(commit):
            folder = self.path / entry.path
            is_submodule = entry.mode == GITLINK_MODE
            if is_submodule and not folder.is_dir():
                folder.mkdir()
            _tidy_folder(folder, mode, _is_entry if is_submodule else _is_odd_or_repository)

    def folders(self, commit: str) -> list[Entry]:
        """The folders and submodules of ``commit``."""
        if commit not in self._folders:
            self._folders.clear()
            self._folders[commit] = self.store.folders(commit)
        return self._folders[commit]

    def run(self, *arguments: str, **options: Unpack[CallOptions]) -> bytes:
        """What a git command in this checkout prints; raises `GitError` when it fails."""
        completed = self.ask(*arguments, **options)
        if completed.exit_code != 0:
            raise failure(completed, self.path)
        return completed.stdout

    def ask(self, *arguments: str, **options: Unpack[CallOptions]) -> Completed:
        """A git command in this checkout, with its own index unless another is named."""
        options["config"] = (*self.filters, *options.get("config", ()))
        options.setdefault("environment", {"GIT_INDEX_FILE": str(self.index)})
        options.setdefault("cwd", self.path)
        return self.store.git.ask(
            f"--git-dir={self.store.git_dir}", f"--work-tree={self.path}", *arguments, **options
        )

    def publish_index(self, target: Path) -> None:
        """Copy the index to where programs that run inside the folder look for it."""
        # Git compares a file's time with its index' own to find changes within one clock tick.
        fresh = target.with_name("loreley-index")
        shutil.copy2(self.index, fresh)
        fresh.replace(target)


def _tidy_folder(folder: Path, mode: int, is_unwanted: Callable[[os.DirEntry[str]], bool]) -> None:
    found = folder.lstat().st_mode
    if not stat.S_ISDIR(found):
        raise NotADirectoryError(f"{folder} should be a folder")
    if stat.S_IMODE(found) != mode:
        folder.chmod(mode)
    with os.scandir(folder) as entries:
        unwanted = [entry for entry in entries if is_unwanted(entry)]
    for entry in unwanted:
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            Path(entry.path).unlink()


def _is_entry(entry: os.DirEntry[str]) -> bool:
    return bool(entry.name)


def _is_odd_or_repository(entry: os.DirEntry[str]) -> bool:
    return entry.name == ".git" or _is_odd(entry)


def _is_odd(entry: os.DirEntry[str]) -> bool:
    return not (
        entry.is_file(follow_symlinks=False)
        or entry.is_dir(follow_symlinks=False)
        or entry.is_symlink()
    )
