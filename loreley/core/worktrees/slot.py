"""One worktree while a process owns it."""

import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loreley.core.worktrees.checkout import Checkout
from loreley.core.worktrees.removal import move_to_trash
from loreley.errors import GitError
from loreley.host.deadline import Deadline
from loreley.host.locks import FileLock

_ADMIN_FILES = frozenset({"HEAD", "commondir", "gitdir", "locked", "index"})
_LONGEST_LINK = 10_000


@dataclass(frozen=True, slots=True)
class Slot:
    """A worktree at a job's own path.

    ``git_dir`` is git's folder of the worktree, for programs that run inside the checkout:
    nothing in it decides what Loreley does.
    """

    id: str
    owner: FileLock
    checkout: Checkout
    scratch: Path  # empty and private to the lease
    git_dir: Path
    trash: Path

    def restore(self, commit: str, deadline: Deadline, *, cleaning_seconds: float = 0.0) -> None:
        """Make it a clean checkout of ``commit``, in its files and in what git says of it.

        For ``cleaning_seconds`` see `Checkout.restore`.
        """
        self.require_untouched()
        self.checkout.restore(commit, deadline, cleaning_seconds=cleaning_seconds)
        try:
            for entry in list(self.git_dir.iterdir()):
                if entry.name not in _ADMIN_FILES:
                    move_to_trash(entry, self.trash)
            self.point_to(self.checkout.path)
            _write(self.git_dir / "HEAD", commit)
            self.checkout.publish_index(self.git_dir / "index")
        except OSError as error:
            raise GitError(
                "cannot write git's folder of a worktree",
                target=str(self.git_dir),
                reason=str(error),
            ) from error

    def point_to(self, path: Path) -> None:
        """Tell git that the worktree is at ``path``, and that nobody may prune it."""
        _write(self.git_dir / "gitdir", str(path / ".git"))
        _write(self.git_dir / "commondir", "../..")
        _write(self.git_dir / "locked", "loreley")

    def require_untouched(self) -> None:
        """Raise `GitError` when the folder or its ``.git`` file is not what we made."""
        if not self.is_untouched():
            raise GitError(
                "the .git file of the worktree was replaced", target=str(self.checkout.path)
            )

    def is_untouched(self) -> bool:
        """Whether the folder is a folder and its ``.git`` file the one git made."""
        path = self.checkout.path
        link = path / ".git"
        try:
            return (
                not path.is_symlink()
                and not link.is_symlink()
                and link.is_file()
                and link.stat().st_size < _LONGEST_LINK
                and link.read_text("utf-8", "surrogateescape") == f"gitdir: {self.git_dir}\n"
            )
        except OSError:
            return False

    def make_unusable(self) -> None:
        """Keep the worktree from becoming a spare slot."""
        with suppress(OSError):
            (self.checkout.path / ".git").unlink()


def _write(path: Path, line: str) -> None:
    """Write a file of one line, unless it says that; what stands there is never written through.

    It is removed first: ext4 writes what is renamed over a file to the disk at once, which takes
    milliseconds. Git takes a worktree as it is without it for the moment.
    """
    content = f"{line}\n".encode("utf-8", "surrogateescape")
    with suppress(FileNotFoundError):
        found = path.lstat()
        is_as_long = stat.S_ISREG(found.st_mode) and found.st_size == len(content)
        if is_as_long and path.read_bytes() == content:
            return
        path.unlink()
    with path.open("xb") as file:
        file.write(content)
