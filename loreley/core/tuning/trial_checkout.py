"""A checkout in which values are tried one after the other, without git."""

import math
import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from loreley.core.agents.edit_rules import matches
from loreley.core.agents.genetic.source.files import write_content
from loreley.core.evaluation.cascade import CandidateTree
from loreley.core.worktrees.removal import delete, open_folders
from loreley.host.deadline import Deadline

_GIT = ".git"
Signature = tuple[int, ...]  # differs when a file was touched; its change time cannot be set back


@dataclass(slots=True)
class TrialCheckout:
    """A worktree whose files of numbers are written anew for each try; a `CandidateTree`.

    What a run leaves behind is gone before the next one: new files are deleted, and where anything
    that was there is another, git makes the whole checkout anew. Only what matches ``excludes``
    stays, as between jobs.
    """

    worktree: CandidateTree
    excludes: Sequence[str] = ()
    _written: dict[str, bytes] = field(default_factory=dict)
    _known: dict[str, Signature] = field(default_factory=dict)
    _written_at: int = 0  # in whole seconds, as some caches count

    def __post_init__(self) -> None:
        self._known = dict(self._list())

    @property
    def path(self) -> Path:
        """The folder of the checkout."""
        return self.worktree.path

    @property
    def scratch(self) -> Path:
        """The folder beside it."""
        return self.worktree.scratch

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Put these contents into their files, where they are not there already.

        Each is of a later second than any before: a cache that goes by times and sizes, such as
        Python's or make's, takes none for another.
        """
        self._written_at = max(math.ceil(time.time()), self._written_at + 1)
        for path, content in contents.items():
            if self._written.get(path) != content:
                write_content(self.path, path, content)
                os.utime(self.path / path, (self._written_at, self._written_at))
                self._written[path] = content
                self._known[path] = _sign(os.lstat(self.path / path))

    def restore(self, deadline: Deadline) -> None:
        """Undo all but what was written here."""
        found = dict(self._list())
        strange = [path for path in found if path not in self._known]
        for path in strange:
            if os.path.dirname(path) not in strange:  # noqa: PTH120 - paths are texts here
                _remove(self.path / path)
        changed = [path for path in self._known if found.get(path) != self._known[path]]
        if changed:
            for (
                path
            ) in changed:  # git compares contents, and would leave the rest of a file as it is
                _remove(self.path / path)
            self._begin_anew(deadline)

    def clean(self, deadline: Deadline) -> None:
        """Undo what a run has left, beside the checkout, too."""
        self.restore(deadline)
        for path in self.scratch.iterdir():
            delete(path)

    def _begin_anew(self, deadline: Deadline) -> None:
        self.worktree.restore(deadline)
        contents, self._written = self._written, {}
        self._known = dict(self._list())
        self.write(contents)

    def _list(self) -> Iterator[tuple[str, Signature]]:
        """Everything below the folder, each with its signature."""
        pending = [""]
        while pending:
            folder = pending.pop()
            for entry in _read_folder(self.path / folder):
                path = f"{folder}/{entry.name}" if folder else entry.name
                if path == _GIT or any(matches(each, path) for each in self.excludes):
                    continue
                status = entry.stat(follow_symlinks=False)
                yield path, _sign(status)
                if stat.S_ISDIR(status.st_mode):
                    pending.append(path)


def _read_folder(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except PermissionError:
        open_folders(folder)
        with os.scandir(folder) as entries:
            return list(entries)


def _remove(path: Path) -> None:
    delete(path)
    if os.path.lexists(path):  # in a folder that may not be written to
        with suppress(OSError):
            open_folders(path.parent)
        delete(path)


def _sign(status: os.stat_result) -> Signature:
    if stat.S_ISDIR(status.st_mode):  # its times change with what comes and goes in it
        return (status.st_mode,)
    return (
        *(status.st_mode, status.st_ino, status.st_nlink, status.st_size),
        *(status.st_mtime_ns, status.st_ctime_ns),
    )
