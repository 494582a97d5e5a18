"""The files of submodules in a worktree: brought in with it, and looked at after an agent."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from loreley.core.worktrees.clone_config import CloneConfig
from loreley.core.worktrees.submodules.declared import read_declared, settle_remote
from loreley.errors import CommitGone, GitError, ServiceUnavailable
from loreley.git.git import Git, object_format
from loreley.git.objects import ObjectStore
from loreley.git.remote import Remote
from loreley.host.deadline import Deadline
from loreley.host.locks import hold_lock

_DEEPEST = 8  # submodules of submodules
_EVERYTHING = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


@dataclass(frozen=True, slots=True)
class Module:
    """A submodule that is here; ``path`` is relative to the outermost worktree."""

    path: str
    commit: str
    store: ObjectStore
    remote: Remote


@dataclass(frozen=True, slots=True)
class CheckedOut:
    """A submodule's files in a folder, and the index that remembers them."""

    module: Module
    folder: Path
    index: Path

    def find_modified(self, deadline: Deadline) -> list[str]:
        """The files of its commit that are there no more as they were."""
        if self.folder.is_symlink() or not self.folder.is_dir():
            return ["."]
        return self._list_files("--modified", deadline=deadline)

    def find_added(self, deadline: Deadline) -> list[str]:
        """The files that its commit does not hold, without those that git ignores."""
        return self._list_files("--others", "--exclude-standard", deadline=deadline)

    def _list_files(self, *options: str, deadline: Deadline) -> list[str]:
        listing = _run(self, "ls-files", "-z", *options, deadline=deadline)
        return [os.fsdecode(name) for name in listing.split(b"\0")[:-1]]


class Submodules:
    """The repositories under ``folder``, one for each remote that is allowed."""

    def __init__(
        self, store: ObjectStore, remote: Remote, folder: Path, allowed: Sequence[str]
    ) -> None:
        self._store = store
        self._remote = remote
        self._folder = folder
        self._allowed = tuple(allowed)

    def use_credentials(self, remote: Remote) -> None:
        """Go to the same server with other credentials."""
        self._remote = remote

    def fetch(self, commit: str, deadline: Deadline) -> list[Module]:
        """All submodules of the commit, outer ones first, fetched where they are not here.

        Raises `ConfigError` for a remote that is not allowed, `CommitGone` where it has no such
        commit, and `GitError`, which is a `ServiceUnavailable` where it does not answer.
        """
        if not self._allowed:
            return []
        top = Module("", commit, self._store, self._remote)
        return list(self._fetch_below(top, deadline, _DEEPEST))

    def check_out(
        self, commit: str, worktree: Path, index: Path, deadline: Deadline
    ) -> list[CheckedOut]:
        """Fill the empty folders of the commit's submodules; their indexes stand beside ``index``.

        Raises like `fetch`.
        """
        found = []
        for number, module in enumerate(self.fetch(commit, deadline)):
            folder = worktree / module.path
            own = index.with_name(f"{index.name}-module-{number}")
            if folder.resolve() != worktree.resolve() / module.path:
                raise GitError("a submodule's folder is a link", target=str(folder))
            for stale in (own, own.with_name(f"{own.name}.lock")):
                stale.unlink(missing_ok=True)
            folder.mkdir(parents=True, exist_ok=True)
            checked_out = CheckedOut(module, folder, own)
            _run(checked_out, "read-tree", "--reset", "-u", module.commit, deadline=deadline)
            found.append(checked_out)
        return found

    def _fetch_below(self, outer: Module, deadline: Deadline, levels: int) -> Iterator[Module]:
        if not levels:
            return
        for declared in read_declared(outer.store, outer.commit):
            remote = settle_remote(declared.url, outer.remote, self._allowed)
            store = self._open(remote, declared.commit, deadline)
            path = f"{outer.path}/{declared.path}".lstrip("/")
            module = Module(path, declared.commit, store, remote)
            yield module
            yield from self._fetch_below(module, deadline, levels - 1)

    def _open(self, remote: Remote, commit: str, deadline: Deadline) -> ObjectStore:
        """The repository of the remote, with the commit in it."""
        name = hashlib.sha256(remote.identity.encode()).hexdigest()[:16]
        store = ObjectStore(self._store.git, self._folder / f"{name}.git")
        with self._lock(deadline):
            config = CloneConfig(store.git, store.git_dir, remote)
            if not (store.git_dir / "objects").is_dir():
                self._make(store.git, store.git_dir, remote, commit, deadline)
            # Nobody is asked what it says by now: it is ours, and git obeys it.
            config.write(store.git_dir, object_format(commit))
            config.settle()
            if not store.has_commit(commit):
                _fetch(store, remote, commit, deadline)
        return store

    def _make(
        self, git: Git, git_dir: Path, remote: Remote, commit: str, deadline: Deadline
    ) -> None:
        fresh = git_dir.with_suffix(".new")
        git.init_bare(fresh, commit, deadline)
        CloneConfig(git, fresh, remote).write(fresh, object_format(commit))
        fresh.rename(git_dir)

    def _lock(self, deadline: Deadline) -> AbstractContextManager[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        return hold_lock(self._folder / ".lock", deadline)


def _fetch(store: ObjectStore, remote: Remote, commit: str, deadline: Deadline) -> None:
    """Bring the commit, by its id where the server gives it, else with all branches and tags."""
    refusals = []
    for depth, refspecs in ((("--depth=1",), (commit,)), ((), _EVERYTHING)):
        try:
            store.run(
                *("fetch", "--quiet", "--force", "--no-tags", "--no-write-fetch-head", *depth),
                *("--no-recurse-submodules", "--no-auto-maintenance", "--update-shallow"),
                *("--", remote.url, *refspecs),
                remote=remote,
                deadline=deadline,
            )
        except ServiceUnavailable:
            raise
        except GitError as error:
            refusals.append(error.summary)
        if store.has_commit(commit):
            return
    raise CommitGone(
        "the commit of a submodule is neither here nor on its remote",
        target=f"{commit} of {remote}",
        reason=refusals[0] if refusals else "fetching every branch did not bring it",
        fix="push it there, or let the repository name another",
    )


def _run(checked_out: CheckedOut, *arguments: str, deadline: Deadline) -> bytes:
    return checked_out.module.store.run(
        f"--work-tree={checked_out.folder}",
        *arguments,
        environment={"GIT_INDEX_FILE": str(checked_out.index)},
        cwd=checked_out.folder,
        deadline=deadline,
    )
