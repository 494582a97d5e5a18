"""Git Large File Storage, for repositories that use it."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from loreley.errors import ConfigError
from loreley.git.environment import Config
from loreley.git.failures import failure
from loreley.git.objects import REGULAR_MODES, ObjectStore
from loreley.git.remote import Remote
from loreley.host.deadline import Deadline

FILTERS: Config = (
    ("filter.lfs.process", "git-lfs filter-process"),
    ("filter.lfs.clean", "git-lfs clean -- %f"),
    ("filter.lfs.smudge", "git-lfs smudge -- %f"),
    ("filter.lfs.required", "true"),
)
_REMOTE_CONFIG: Config = (("lfs.locksverify", "false"), ("lfs.concurrenttransfers", "4"))
_LARGEST_POINTER_BYTES = 1024
_OBJECT_ID = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.MULTILINE)
_POINTER_START = b"version https://git-lfs.github.com/spec/"


class LargeFiles:
    """Decides which commits use LFS and moves their objects; ``enabled`` None: as they need."""

    def __init__(self, store: ObjectStore, remote: Remote, *, enabled: bool | None) -> None:
        self._store = store
        self._remote = remote
        self._enabled = enabled
        self._used_by: dict[str, bool] = {}
        self._fetched: set[str] = set()
        self._is_installed = False

    def use_credentials(self, remote: Remote) -> None:
        """Go to the same remote with other credentials."""
        self._remote = remote

    def filters_for(self, commit: str, deadline: Deadline) -> Config:
        """How files of ``commit`` are read and written, their objects fetched; empty without LFS.

        Raises `ConfigError` where LFS is needed and not installed.
        """
        if self._enabled is False or not (self._enabled or self._is_used_by(commit)):
            return ()
        self._require_installed()
        if commit not in self._fetched:
            self._store.run(
                *("lfs", "fetch", "origin", commit),
                remote=self._remote,
                config=_REMOTE_CONFIG,
                deadline=deadline,
            )
            self._fetched.add(commit)
        return FILTERS

    def begin_with(self, base: str, commit: str) -> bool:
        """Whether ``commit`` would be the first of its line for which LFS is used."""
        if self._enabled is not None:
            return False
        changed = (PurePosixPath(each.path).name for each in self._store.differences(base, commit))
        if ".gitattributes" not in changed:
            return False
        return self._is_used_by(commit) and not self._is_used_by(base)

    def find_missing(self, base: str, commit: str) -> Sequence[str]:
        """The objects that ``commit`` points at, ``base`` does not, and nobody has."""
        folder = self._store.git_dir / "lfs" / "objects"
        return [
            each
            for each in self._new_objects(base, commit)
            if not (folder / each[:2] / each[2:4] / each).is_file()
        ]

    def push(self, base: str, commit: str, deadline: Deadline) -> None:
        """Upload the objects that ``commit`` has and ``base`` has not."""
        object_ids = self._new_objects(base, commit)
        if object_ids:
            self._store.run(
                *("lfs", "push", "--object-id", "origin", *object_ids),
                remote=self._remote,
                config=_REMOTE_CONFIG,
                deadline=deadline,
            )

    def _is_used_by(self, commit: str) -> bool:
        if commit not in self._used_by:
            completed = self._store.git.ask(
                *(f"--git-dir={self._store.git_dir}", "grep", "-q", "-e", "filter=lfs", commit),
                *("--", ":(glob)**/.gitattributes"),
                cwd=self._store.git_dir,
                environment={"GIT_LITERAL_PATHSPECS": "0"},
            )
            if completed.exit_code not in (0, 1):
                raise failure(completed, self._store.git_dir)
            self._used_by[commit] = completed.exit_code == 0
        return self._used_by[commit]

    def _require_installed(self) -> None:
        if self._is_installed:
            return
        completed = self._store.git.ask("lfs", "version")
        if completed.exit_code != 0:
            raise ConfigError(
                "the repository uses Git LFS, which is not installed here",
                setting="WORKER_REPO_ENABLE_LFS",
                target=str(self._remote),
                reason=completed.stderr.decode("utf-8", "replace")[:300],
                fix="install git-lfs, or set WORKER_REPO_ENABLE_LFS=false to work on pointers",
            )
        self._is_installed = True

    def _new_objects(self, base: str, commit: str) -> Sequence[str]:
        blobs = [
            difference.new_object_id
            for difference in self._store.differences(base, commit)
            if difference.new_mode in REGULAR_MODES
        ]
        sizes = self._store.sizes_bytes(blobs)
        small = [
            blob for blob, size in zip(blobs, sizes, strict=True) if size < _LARGEST_POINTER_BYTES
        ]
        pointers = (self._store.run("cat-file", "blob", blob) for blob in small)
        return sorted(
            match[1].decode()
            for pointer in pointers
            if pointer.startswith(_POINTER_START) and (match := _OBJECT_ID.search(pointer))
        )
