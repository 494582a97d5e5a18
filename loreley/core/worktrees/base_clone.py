"""The clone that all worktrees of a host share: made, recognised, kept up to date."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from secrets import token_hex

from loguru import logger

from loreley.core.worktrees.clone_config import CloneConfig, occupied
from loreley.core.worktrees.removal import empty_trash
from loreley.errors import CommitGone, Fault, GitError, ServiceUnavailable, TimeLimitReached
from loreley.git.git import Git, object_format
from loreley.git.objects import ObjectStore, require_commit_id
from loreley.git.remote import Remote
from loreley.host.deadline import Deadline

_UNFINISHED = ".cloning"
_STALE_SECONDS = 10.0  # git holds its lock files for moments
_POLL_SECONDS = 0.1
_ABANDONED_SECONDS = 3600.0  # for which nothing was written to what is being received or packed
_COLLECTED = "loreley-collected"  # a file that is as old as the last collection
_COLLECTION_SECONDS = 24 * 3600.0  # between two; each reads all that is reachable
_COLLECTION_SHARE = 0.1  # of a job's time at most
_LONGEST_COLLECTION_SECONDS = 300.0
_KEPT_DAYS = 14  # for which nobody wrote an object that nothing refers to
_MANY_LOOSE_OBJECTS = 30  # in one of 256 folders, so about 7,500 in all


class BaseClone:
    """A repository without checked-out files at ``path``; what changes it needs the host's lock.

    It holds the branch, shallow when ``depth`` is set, and whatever commits jobs asked for.
    Submodules are not cloned.
    """

    def __init__(
        self,
        git: Git,
        remote: Remote,
        path: Path,
        *,
        branch: str,
        depth: int | None,
        job_branch_prefix: str,
    ) -> None:
        self.path = path
        self.remote = remote
        self.store = ObjectStore(git, path / ".git")
        self.config = CloneConfig(git, path / ".git", remote)
        self._git = git
        self._depth = depth
        self._branch = branch
        self._refspecs = [
            f"+refs/heads/{name}:refs/remotes/origin/{name}"
            for name in (branch, f"{job_branch_prefix}/*")
        ]

    def prepare(self, deadline: Deadline) -> str:
        """Make the clone, or check and update the one that is there; the branch's head.

        The caller holds the host's lock. Raises `ConfigError` when something else stands at the
        path, which is left alone.
        """
        head = self._git.remote_head(self.remote, self._branch, deadline)
        empty_trash(self.path / _UNFINISHED)
        if os.path.lexists(self.store.git_dir):
            self.config.require_same_remote()
            self.config.settle()
            for path in find_abandoned_files(self.store.git_dir):
                path.unlink(missing_ok=True)
            self._fetch(self.store, deadline, self._refspecs[:1])
            self._tidy(deadline)
        else:
            self._clone(head, deadline)
            self.config.settle()
        if self.config.is_own:  # a clone that a person made keeps its branch
            self.store.run("update-ref", "--no-deref", "HEAD", head, deadline=deadline)
        return head

    def require_commit(
        self, commit: str, lock: AbstractContextManager[None], deadline: Deadline
    ) -> None:
        """Have the commit here: fetched by its id, else with its branches, else with all history.

        Raises `CommitGone` when the remote has no such commit.
        """
        require_commit_id(commit)
        if self.store.has_commit(commit):
            return
        refusals = []
        with lock:
            for refspecs, history in self._ways_to(commit):
                if self.store.has_commit(commit):
                    return
                try:
                    self._fetch(self.store, deadline, refspecs, history)
                except ServiceUnavailable:
                    raise
                except GitError as error:
                    if error.fault is Fault.HOST:  # a full disk says nothing of the remote
                        raise
                    refusals.append(error.summary)
        if not self.store.has_commit(commit):
            gone = CommitGone(
                "a commit is neither here nor on the remote",
                target=f"{commit} of {self.remote}",
                reason=refusals[0] if refusals else "fetching every branch did not bring it",
                fix="look for its branch on the remote: it may have been deleted",
            )
            gone.commit = commit
            raise gone

    @property
    def is_to_collect(self) -> bool:
        """Whether it is time to drop what refused candidates have left."""
        if not self.config.is_own:  # what a person has lost there may be looked for
            return False
        with suppress(FileNotFoundError):
            age = time.time() - (self.store.git_dir / _COLLECTED).stat().st_mtime
            return age > _COLLECTION_SECONDS
        return True

    def collect(self, deadline: Deadline) -> None:
        """Drop old objects that no ref and no worktree leads to, in a small part of the time left.

        The caller holds the host's lock and knows that no worktree is leased: what a job reads
        of its inspirations nothing refers to. A failure costs no job: it is logged, and tried again
        a day later.
        """
        (self.store.git_dir / _COLLECTED).touch()
        limit = min(deadline.remaining_seconds * _COLLECTION_SHARE, _LONGEST_COLLECTION_SECONDS)
        try:
            self.store.run(
                *("gc", "--quiet", f"--prune={_KEPT_DAYS}.days.ago"),
                deadline=deadline.within(limit),
            )
        except (GitError, TimeLimitReached) as error:
            logger.warning("old objects stay in the base clone: {}", error.summary)

    def _ways_to(self, commit: str) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
        """Refspecs and how much history to fetch with them, the cheapest first."""
        yield [commit], self._shallowness
        yield self._refspecs, self._shallowness
        # Once more: the scheduler may have deleted a branch between its listing and its fetch.
        yield self._refspecs, self._shallowness
        if (self.store.git_dir / "shallow").exists():
            yield self._refspecs, ["--unshallow"]

    @property
    def _shallowness(self) -> Sequence[str]:
        return [f"--depth={self._depth}"] if self._depth else []

    def _clone(self, head: str, deadline: Deadline) -> None:
        """Make the repository aside and move it into place when it is whole."""
        if self.path.exists() and (not self.path.is_dir() or self._holds_something()):
            raise occupied(self.path, "it is no git repository, and not empty")
        fresh = self.path / _UNFINISHED / token_hex(4)
        fresh.mkdir(parents=True)
        self._git.init_bare(fresh, head, deadline)
        self.config.write(fresh, object_format(head))
        self._fetch(ObjectStore(self._git, fresh), deadline, self._refspecs[:1], self._shallowness)
        (fresh / _COLLECTED).touch()
        fresh.rename(self.store.git_dir)
        fresh.parent.rmdir()

    def _holds_something(self) -> bool:
        return any(entry.name != _UNFINISHED for entry in self.path.iterdir())

    def _fetch(
        self,
        store: ObjectStore,
        deadline: Deadline,
        refspecs: Sequence[str],
        history: Sequence[str] = (),
    ) -> None:
        _wait_for_locks(store.git_dir, deadline)
        store.run(
            *("fetch", "--quiet", "--force", "--no-tags", "--no-prune", "--no-write-fetch-head"),
            *("--no-recurse-submodules", "--no-auto-maintenance", *history),
            "--update-shallow",  # the remote may itself hold a part of the history only
            *("--", self.remote.url, *refspecs),
            remote=self.remote,
            deadline=deadline,
        )

    def _tidy(self, deadline: Deadline) -> None:
        """Pack what many fetches have left one by one; safe while others read."""
        some = self.store.git_dir / "objects" / "17"
        if some.is_dir() and len(list(some.iterdir())) > _MANY_LOOSE_OBJECTS:
            self.store.run(
                *("maintenance", "run", "--quiet", "--task=loose-objects"),
                "--task=incremental-repack",
                deadline=deadline,
            )


def find_abandoned_files(git_dir: Path) -> Iterator[Path]:
    """What a fetch or a maintenance that was killed has left among the objects.

    With its lock there, git skips every later maintenance without a word.
    """
    objects = git_dir / "objects"
    for path in [
        *objects.glob("*.lock"),
        *objects.glob("pack/*.lock"),
        *objects.glob("pack/tmp_*"),
    ]:
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                yield path


def _wait_for_locks(git_dir: Path, deadline: Deadline) -> None:
    """Let git processes that a dead worker left finish, and remove the locks of dead ones.

    The caller holds the host's lock, so no live worker's git is changing the repository.
    """
    while locks := [*git_dir.glob("*.lock"), *(git_dir / "refs").rglob("*.lock")]:
        for lock in locks:
            with suppress(FileNotFoundError):
                if time.time() - lock.stat().st_mtime > _STALE_SECONDS:
                    lock.unlink()
        deadline.stop.wait(_POLL_SECONDS)
        deadline.check("waiting for the locks of another git")
