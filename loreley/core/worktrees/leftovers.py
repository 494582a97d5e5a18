"""What crashed workers have left on this host; looks only."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from loreley.core.worktrees.base_clone import find_abandoned_files
from loreley.core.worktrees.slots import SPARE
from loreley.host.locks import is_locked, read_lock_text

_MOMENTS_SECONDS = 60.0  # for which git holds its locks at most
_OURS = {".slots", ".scratch", ".submodules", ".trash", ".lock"}


def find_leftovers(base: Path) -> list[Path]:
    """What no live worker uses of the clone at ``base``, its worktrees and its random kin."""
    found = [*_find_in_clone(base)]
    for worktrees in base.parent.glob(f"{base.name}-*-worktrees"):
        owner = worktrees / ".owner"
        kin = worktrees.with_name(worktrees.name.removesuffix("-worktrees"))
        if not owner.is_file():
            continue
        found += _find_in_clone(kin) if is_locked(owner) else [kin, worktrees]
    return found


def _find_in_clone(base: Path) -> Iterator[Path]:
    worktrees = base.with_name(f"{base.name}-worktrees")
    owners = {path: read_lock_text(path) for path in (worktrees / ".slots").glob("*.owner")}
    leased = {text for path, text in owners.items() if is_locked(path)}
    for path in _list(worktrees):
        if path.name not in _OURS | {".owner"} | leased:
            yield path
    yield from (path for path in _list(worktrees / ".scratch") if path.name not in leased)
    yield from _list(worktrees / ".trash")
    slots = {path.stem for path, text in owners.items() if text in leased or text == SPARE}
    for path in [*_list(worktrees / ".slots"), *_list(base / ".git" / "worktrees")]:
        if path.name.partition(".")[0] not in slots:
            yield path
    yield from _list(base / ".cloning")
    yield from _find_stale_locks(base / ".git")
    yield from find_abandoned_files(base / ".git")


def _find_stale_locks(git_dir: Path) -> Iterator[Path]:
    for path in [*git_dir.glob("*.lock"), *(git_dir / "refs").rglob("*.lock")]:
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _MOMENTS_SECONDS:
                yield path


def _list(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
