"""Base clones of one process only, with a random suffix: claimed, and removed when it is gone."""

import re
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Self

from loreley.core.worktrees.removal import delete
from loreley.errors import ConfigError
from loreley.host.deadline import Deadline
from loreley.host.locks import FileLock, hold_lock

_OWNER = ".owner"
_ATTEMPTS = 64


class RandomClone:
    """The name ``<base>-<suffix>`` and all that stands under it, held by this process.

    ``<base>-<suffix>-worktrees/.owner`` is locked as long as the process lives; only where such
    a file is, and nobody holds it, is anything ever deleted.
    """

    def __init__(self, base: Path, owner: FileLock) -> None:
        self.base = base
        self._owner = owner

    @classmethod
    def claim(cls, family: Path, suffix_length: int, deadline: Deadline) -> Self:
        """Hold a free name of the family, after removing the clones whose process is gone.

        Raises `ConfigError` when no free name was found.
        """
        family.parent.mkdir(parents=True, exist_ok=True)
        with hold_lock(_lock_of(family), deadline):
            _sweep(family)
            for _ in range(_ATTEMPTS):
                suffix = token_hex(suffix_length)[:suffix_length]
                base = family.with_name(f"{family.name}-{suffix}")
                if not base.exists() and not _worktrees_of(base).exists():
                    _worktrees_of(base).mkdir()
                    owner = FileLock.take(_worktrees_of(base) / _OWNER)
                    if owner is not None:
                        return cls(base, owner)
        raise ConfigError(
            "no free name for a randomised base clone",
            setting=f"WORKER_REPO_WORKTREE_RANDOM_SUFFIX_LEN={suffix_length}",
            target=f"{family}-…",
            reason="every suffix that was tried is taken",
            fix="allow a longer suffix, or remove folders that are not needed",
        )

    def remove(self) -> None:
        """Delete the clone and its worktrees, and let go of the name."""
        _remove(self.base, self._owner)


def _sweep(family: Path) -> None:
    pattern = re.compile(re.escape(family.name) + r"-[0-9a-f]{1,32}-worktrees")
    for worktrees in list(family.parent.iterdir()):
        owner = worktrees / _OWNER
        if not pattern.fullmatch(worktrees.name):
            continue
        if owner.is_file():
            lock = FileLock.take(owner)
            if lock is not None:
                _remove(worktrees.with_name(worktrees.name.removesuffix("-worktrees")), lock)
        else:
            with suppress(OSError):  # only when it is empty, as an interruption leaves it
                worktrees.rmdir()


def _remove(base: Path, owner: FileLock) -> None:
    """The clone first and its owner file last: what an interruption leaves is still known."""
    try:
        delete(base)
        for path in _worktrees_of(base).iterdir():
            if path.name != _OWNER:
                delete(path)
        owner.remove()
        delete(_worktrees_of(base))
    finally:
        owner.release()


def _worktrees_of(base: Path) -> Path:
    return base.with_name(f"{base.name}-worktrees")


def _lock_of(family: Path) -> Path:
    return family.with_name(f".{family.name}.lock")
