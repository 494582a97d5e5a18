"""What an agent changed in a checkout, and the tree that holds just that."""

import os
import re
import shutil
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loreley.core.worktrees.checkout import Checkout
from loreley.git.failures import failure
from loreley.git.objects import GITLINK_MODE
from loreley.host.deadline import Deadline

# What programs leave behind and make again, and nobody means.
_CACHED = re.compile(
    r"(?:^|/)(?:__pycache__|\.[\w-]*cache|node_modules|\.venv|venv|target|build|dist|\.git|\.tox|"
    r"[\w.-]+\.egg-info|\.coverage[\w.]*|\.DS_Store)(?:/|$)|\.(?:pyc|pyo|o|so|class|log|tmp|swp)$"
)
MAX_LOOKED_AT_BYTES = 4 * 1024 * 1024  # of one file, for its line ends and the like
MAX_CONVERTED_FILES = 200  # that are compared with what git would write
MAX_CHANGED_BYTES = 256 * 1024 * 1024  # of all changed files together


@dataclass(slots=True)
class Changes:
    """Paths in a checkout that differ from the commit it was restored to.

    Ignored files that the commit does not hold are no changes, nor are pipes, sockets and empty
    folders beside the commit's files: git has no word for them, and `Checkout.restore` removes
    them.
    """

    written: list[str] = field(default_factory=list)  # regular files and symbolic links
    removed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # why this can be no candidate
    size_bytes: int = 0

    @property
    def are_too_large(self) -> bool:
        """Whether git should not even look at them."""
        return self.size_bytes > MAX_CHANGED_BYTES


def find_changes(checkout: Checkout, commit: str, deadline: Deadline) -> Changes:
    """Compare the checkout with ``commit``, to which it was restored."""
    changes = Changes()
    listing = checkout.ask(
        *("ls-files", "-z", "--modified", "--others", "--exclude-standard"),
        *(f"--exclude={pattern}" for pattern in checkout.excludes),
        deadline=deadline,
    )
    if listing.exit_code != 0:
        raise failure(listing, checkout.path)
    if b"could not open directory" in listing.stderr:
        reason = listing.stderr.decode("utf-8", "replace").splitlines()[0]
        changes.refused.append(f"a folder that cannot be read: {reason}")
    submodules = _inspect_folders(checkout, commit, changes)
    _inspect_submodules(checkout, changes, deadline)
    links = _Links(checkout.path)
    for name in sorted(set(listing.stdout.split(b"\0")[:-1])):
        path = os.fsdecode(name)
        if path.endswith("/"):
            changes.refused.append(f"a nested repository: {path}")
        elif path not in submodules:
            _classify(checkout.path, path, links, changes)
    untouched = _find_untouched(checkout, changes.written, deadline)
    changes.written = [path for path in changes.written if path not in untouched]
    if changes.are_too_large:
        changes.refused.append(
            f"{changes.size_bytes} bytes in changed files, at most {MAX_CHANGED_BYTES} are allowed"
        )
    return changes


def stage_tree(checkout: Checkout, commit: str, changes: Changes, deadline: Deadline) -> str:
    """The id of the tree of ``commit`` with the changes; the checkout's own index stays as it is.

    File contents go through the filters that the checkout was given, and no others. Raises
    `GitError` where git cannot store a file.
    """
    index = checkout.index.with_name(f"{checkout.index.name}-staged")
    environment = {"GIT_INDEX_FILE": str(index)}
    index.with_name(f"{index.name}.lock").unlink(missing_ok=True)
    shutil.copy2(checkout.index, index)
    try:
        if changes.removed:
            absent = "0" * len(commit)
            lines = [f"0 {absent}\t{path}" for path in changes.removed]
            checkout.run(
                *("update-index", "-z", "--index-info"),
                stdin=_join_nul(lines),
                environment=environment,
                deadline=deadline,
            )
        if changes.written:
            staging = checkout.ask(
                *("update-index", "-z", "--add", "--replace", "--stdin"),
                stdin=_join_nul(changes.written),
                environment=environment,
                deadline=deadline,
            )
            if staging.exit_code != 0 or b"Ignoring path" in staging.stderr:  # such as .GIT/x
                raise failure(staging, checkout.path)
        tree = checkout.run("write-tree", environment=environment, deadline=deadline)
        return tree.decode().strip()
    finally:
        index.unlink(missing_ok=True)


def find_ignored(checkout: Checkout, deadline: Deadline, limit: int) -> list[str]:
    """Files that were added and that git ignores, at most so many, without what programs cache."""
    listing = checkout.ask(
        *("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"),
        deadline=deadline,
    )
    paths = [os.fsdecode(name) for name in listing.stdout.split(b"\0")[:-1]]
    return [path for path in paths if not _CACHED.search(path)][:limit]


def _find_untouched(checkout: Checkout, paths: Sequence[str], deadline: Deadline) -> set[str]:
    """Those of the paths whose files hold what the checkout wrote, byte by byte.

    Git takes a file for changed where it would store it otherwise than it is stored, as one with
    CRLF of which an attribute says that it should have none, also in a fresh checkout; only who
    touches it changes it.
    """
    wanted = {path for path in paths if _may_be_converted(checkout.path / path)}
    if not wanted:
        return set()
    listing = checkout.ask("diff-files", "--raw", "-z", "--no-abbrev", deadline=deadline)
    parts = listing.stdout.split(b"\0")
    known = {
        os.fsdecode(path): head.split() for head, path in zip(parts[::2], parts[1::2], strict=False)
    }
    blobs = {
        path: head[2].decode()
        for path, head in known.items()
        if path in wanted and len(head) > 4 and head[0][1:] == head[1]
    }
    stored = _find_stored(checkout, blobs, deadline)
    converted = [path for path in blobs if path not in stored][:MAX_CONVERTED_FILES]
    return stored | {
        path for path in converted if _is_as_written(checkout, path, blobs[path], deadline)
    }


def _find_stored(checkout: Checkout, blobs: Mapping[str, str], deadline: Deadline) -> set[str]:
    """The paths whose files hold what their blobs hold."""
    plain = [path for path in blobs if _is_plain(path)]
    hashes = checkout.ask(
        *("hash-object", "--no-filters", "--stdin-paths"),
        stdin=b"".join(os.fsencode(path) + b"\n" for path in plain),
        deadline=deadline,
    )
    found = hashes.stdout.decode().split()
    if hashes.exit_code != 0 or len(found) != len(plain):
        return set()
    return {path for path, name in zip(plain, found, strict=True) if blobs[path] == name}


def _is_as_written(checkout: Checkout, path: str, blob: str, deadline: Deadline) -> bool:
    """Whether a file holds what git makes of its blob when it checks it out."""
    try:
        if (checkout.path / path).stat().st_size > MAX_LOOKED_AT_BYTES:
            return False
        made = checkout.ask("cat-file", "--filters", f"--path={path}", blob, deadline=deadline)
        return made.exit_code == 0 and (checkout.path / path).read_bytes() == made.stdout
    except OSError:
        return False


def _may_be_converted(path: Path) -> bool:
    """Whether git may see the file otherwise than it is: its line ends, encoding, or ``$Id$``."""
    if path.is_symlink():
        return False
    try:
        with path.open("rb") as file:
            content = file.read(MAX_LOOKED_AT_BYTES)
    except OSError:
        return False
    return any(mark in content for mark in (b"\r", b"$Id", b"\0"))


def _is_plain(path: str) -> bool:
    """Whether git reads it as a line as it is."""
    return "\n" not in path and not path.startswith('"')


def _inspect_folders(checkout: Checkout, commit: str, changes: Changes) -> set[str]:
    """Refuse repositories in tracked folders and files in submodules; name the submodules."""
    submodules = set()
    for entry in checkout.folders(commit):
        if entry.mode == GITLINK_MODE:
            folder = checkout.path / entry.path
            is_filled = any(each.module.path == entry.path for each in checkout.checked_out)
            is_empty = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
            if is_filled or is_empty:
                submodules.add(entry.path)
            elif folder.is_dir():
                changes.refused.append(f"files in the folder of a submodule: {entry.path}")
        elif os.path.lexists(f"{checkout.path}/{entry.path}/.git"):
            changes.refused.append(f"a nested repository: {entry.path}/")
    return submodules


def _inspect_submodules(checkout: Checkout, changes: Changes, deadline: Deadline) -> None:
    """Refuse what was changed in submodules, but for what programs leave behind."""
    for each in checkout.checked_out:
        modified = each.find_modified(deadline)
        added = [] if modified else each.find_added(deadline)
        for path in [*modified, *(path for path in added if not _CACHED.search(path))][:1]:
            changes.refused.append(
                f"a file of a submodule, which no candidate changes: {each.module.path}/{path}"
            )


def _classify(top: Path, path: str, links: "_Links", changes: Changes) -> None:
    try:
        status = None if links.lead_to(path) else (top / path).lstat()
    except (FileNotFoundError, NotADirectoryError):
        status = None
    except OSError as error:
        changes.refused.append(f"a file that cannot be read: {path}: {error.strerror}")
        return
    if status is None or stat.S_ISDIR(status.st_mode):
        changes.removed.append(path)  # a folder in its place is listed file by file
    elif stat.S_ISLNK(status.st_mode):
        changes.written.append(path)
    elif not stat.S_ISREG(status.st_mode):
        changes.refused.append(f"neither a file nor a symbolic link: {path}")
    elif not os.access(top / path, os.R_OK):
        changes.refused.append(f"a file that cannot be read: {path}")
    else:
        changes.written.append(path)
        changes.size_bytes += status.st_size


class _Links:
    """Knows which folders of a checkout are reached through a symbolic link."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self._known = {"": False}

    def lead_to(self, path: str) -> bool:
        """Whether a folder above ``path`` is a symbolic link."""
        folder, unknown = _folder_of(path), []
        while folder not in self._known:
            unknown.append(folder)
            folder = _folder_of(folder)
        leads = self._known[folder]
        for folder in reversed(unknown):  # a loop, since depth is not ours
            leads = self._known[folder] = leads or (self._top / folder).is_symlink()
        return leads


def _folder_of(path: str) -> str:
    return os.path.dirname(path)  # noqa: PTH120


def _join_nul(lines: Sequence[str]) -> bytes:
    return b"".join(os.fsencode(line) + b"\0" for line in lines)
