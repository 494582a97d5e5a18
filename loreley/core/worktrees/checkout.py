"""One folder of checked-out files that an agent may have done anything to."""

# Every file of a repository is looked at, and `os` does that in a third of the time a Path takes.
# ruff: noqa: PTH101, PTH108, PTH112, PTH114

import os
import shutil
import stat
import sys
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Unpack

from loreley.core.worktrees.removal import open_folders
from loreley.core.worktrees.submodules.checkouts import CheckedOut, Submodules
from loreley.errors import GitError
from loreley.git.environment import Config
from loreley.git.failures import failure
from loreley.git.git import CallOptions
from loreley.git.objects import GITLINK_MODE, Entry, ObjectStore
from loreley.host.children import Completed
from loreley.host.deadline import Deadline

DirEntry = os.DirEntry[bytes]

_FOLDER, _SUBMODULE = b"f", b"s"
_ATTRIBUTES = ("user.", "system.posix_acl_")  # those that a folder's owner may set
_COMPARED_FILES = 2000  # with more, git finds what was added sooner
_FAST: Config = (("checkout.workers", "4"), ("advice.detachedHead", "false"))


@dataclass(frozen=True, slots=True)
class Checkout:
    """The files of one commit at ``path``, with an index that the agent does not see.

    Git is given the repository, the work tree and the index, so that neither the ``.git`` file
    nor the index an agent can reach decide anything. ``index`` is only ever written by
    `restore`; since it remembers size, times and inode of each file as git wrote them, whatever
    has been touched since is found.
    """

    store: ObjectStore
    path: Path
    index: Path
    excludes: Sequence[str] = ()  # patterns of untracked files that may stay
    filters: Config = ()  # of Git LFS, where it is used
    submodules: Submodules | None = None
    checked_out: list[CheckedOut] = field(default_factory=list, init=False)  # of these
    _folders: dict[str, list[Entry]] = field(default_factory=dict, init=False)

    def restore(self, commit: str, deadline: Deadline, *, cleaning_seconds: float = 0.0) -> None:
        """Make the folder hold exactly the files of ``commit``; raises `GitError` if it cannot.

        Costs a look at every file and writes those that differ. What may stay are untracked
        files that match the excludes. Submodules that are not wanted stay empty folders. With
        ``cleaning_seconds`` above zero it cannot when the removal of untracked files takes longer
        than that.
        """
        self.index.with_name(f"{self.index.name}.lock").unlink(missing_ok=True)
        try:
            self._restore(commit, deadline, cleaning_seconds)
        except (GitError, OSError):
            open_folders(self.path)  # read-only ones, as some package caches are, stop git
            try:
                self._restore(commit, deadline, cleaning_seconds)
            except OSError as error:
                raise GitError(
                    "cannot clean a worktree", target=str(self.path), reason=str(error)[:500]
                ) from error

    def _restore(self, commit: str, deadline: Deadline, cleaning_seconds: float) -> None:
        # The order matters: git would look for tracked files through links in the place of
        # folders, and write files as an untracked .gitattributes says.
        if self.index.exists():
            files = self._find_files(commit)
            self._held.unlink(missing_ok=True)
            if not self._remove_what_git_overlooks(files):
                self._clean(deadline, cleaning_seconds)
        checkout = self.ask("read-tree", "--reset", "-u", commit, config=_FAST, deadline=deadline)
        if checkout.exit_code != 0:
            raise failure(checkout, self.path)
        if checkout.stderr:  # an empty folder in the place of a file could not be removed
            self._clean(deadline, cleaning_seconds)
        marked = [
            (_SUBMODULE if entry.mode == GITLINK_MODE else _FOLDER) + os.fsencode(entry.path)
            for entry in self.folders(commit)
        ]
        self._folder_list.write_bytes(b"".join(mark + b"\0" for mark in marked))
        if self.submodules is not None:
            self.checked_out[:] = self.submodules.check_out(commit, self.path, self.index, deadline)
        self._held.write_text(commit)

    def _find_files(self, commit: str) -> Set[bytes] | None:
        """Paths of all files that git removes or writes by itself when it checks out ``commit``.

        Those of the commit that the index holds, and of this one. None where nobody knows, or
        there are so many that git finds what was added sooner.
        """
        try:
            held = self._held.read_text()
        except FileNotFoundError:
            return None
        top = os.fsencode(self.path) + b"/"
        found: set[bytes] = set()
        for each in {held, commit}:
            entries = self.store.files(each)
            if len(entries) > _COMPARED_FILES:
                return None
            found |= {
                top + os.fsencode(entry.path) for entry in entries if entry.mode != GITLINK_MODE
            }
        return found

    def _clean(self, deadline: Deadline, seconds: float) -> None:
        patterns = [f"--exclude={pattern}" for pattern in self.excludes]
        self.run(
            *("clean", "-q", "-x", "-d", "-ff", *patterns),
            deadline=deadline,
            timeout_seconds=seconds or self.store.git.timeout_seconds,
        )

    def _remove_what_git_overlooks(self, files: Set[bytes] | None) -> bool:
        """Whatever stands in the place of folders, and in folders is no file, link or folder.

        Repositories inside tracked folders, too, files in submodules, and the folders' modes and
        attributes. Returns whether nothing but ``files`` and folders of theirs was found, so that
        git has nothing to clean.
        """
        mode = stat.S_IMODE(self.path.parent.stat().st_mode)
        marks = self._folder_list.read_bytes().split(b"\0")[:-1]
        top = os.fsencode(self.path)
        tracked = {top} | {top + b"/" + mark[1:] for mark in marks}
        is_clean = _tidy(top, mode, tracked, files, is_top=True)
        for mark in marks:
            folder = top + b"/" + mark[1:]
            if mark.startswith(_SUBMODULE):
                _delete_within(folder)
            is_clean &= _tidy(folder, mode, tracked, files)
        return is_clean

    @property
    def _held(self) -> Path:
        """Holds the commit whose files the index has, where that is known."""
        return self.index.with_name(f"{self.index.name}-commit")

    @property
    def _folder_list(self) -> Path:
        return self.index.with_name(f"{self.index.name}-folders")

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
        target.unlink(missing_ok=True)  # over it, ext4 would write to the disk at once
        fresh.replace(target)


def _tidy(
    folder: bytes,
    mode: int,
    tracked: Set[bytes],
    files: Set[bytes] | None,
    *,
    is_top: bool = False,
) -> bool:
    """Remove repositories and odd entries of a tracked folder, and give it ``mode``.

    Odd entries are removed from the untracked folders in it, too, which git finds empty then.
    Returns whether it held ``files`` and tracked folders alone; never where these are not known.
    """
    is_clean = files is not None
    try:
        found = os.lstat(folder).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return is_clean
    if not stat.S_ISDIR(found):
        os.unlink(folder)
        return False
    _remove_attributes(folder)
    if stat.S_IMODE(os.lstat(folder).st_mode) != mode:
        os.chmod(folder, mode)
    pending = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name == b".git" and not is_top:
                _delete(entry)
            elif entry.is_file(follow_symlinks=False) or entry.is_symlink():
                is_own_git = is_top and entry.name == b".git"
                is_clean = is_clean and (is_own_git or entry.path in (files or ()))
            elif entry.path not in tracked:
                is_clean = False
                pending.append(entry)
    _remove_odd_entries(pending)
    return is_clean


def _remove_attributes(folder: bytes) -> None:
    """Remove notes to later candidates, and access lists, which new files would inherit."""
    if sys.platform != "linux":
        return
    try:
        names = os.listxattr(folder, follow_symlinks=False)
    except OSError:  # a file system without any
        return
    for name in names:
        if name.startswith(_ATTRIBUTES):
            os.removexattr(folder, name, follow_symlinks=False)


def _remove_odd_entries(pending: list[DirEntry]) -> None:
    """Remove what is no file, link or folder, here and below; a loop, since depth is not ours."""
    while pending:
        entry = pending.pop()
        if entry.is_dir(follow_symlinks=False):
            with os.scandir(entry.path) as entries:
                pending += [each for each in entries if not each.is_file(follow_symlinks=False)]
        elif not entry.is_symlink():
            os.unlink(entry.path)


def _delete_within(folder: bytes) -> None:
    if os.path.isdir(folder) and not os.path.islink(folder):
        with os.scandir(folder) as entries:
            for entry in entries:
                _delete(entry)


def _delete(entry: DirEntry) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        os.unlink(entry.path)
