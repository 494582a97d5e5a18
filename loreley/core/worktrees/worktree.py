"""What a job does in its worktree: read, commit, measure, push."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from random import random

from loreley.core.worktrees.changes import Changes, find_changes, find_ignored, stage_tree
from loreley.core.worktrees.footprint import Footprint
from loreley.core.worktrees.private_git import make_private_git
from loreley.core.worktrees.shared import Shared
from loreley.core.worktrees.slot import Slot
from loreley.errors import (
    CandidateRejected,
    ConfigError,
    Fault,
    GitError,
    JobLost,
    ServiceUnavailable,
)
from loreley.git.commits import CommitMessage, write_commit
from loreley.git.failures import GitCommandFailed
from loreley.git.objects import REGULAR_MODES, CommitFacts, Difference
from loreley.host.deadline import Deadline
from loreley.map_elites.descriptor import Vector

_SHOWN_IGNORED = 10
_LOOKING_SECONDS = 120.0  # for what has no deadline of its own
# Of the pushes to a folder, after which its branches are packed and git looks whether it needs a
# collection: each would start further processes for that, and is the slower the more are loose.
_TIDIED_SHARE = 0.02
_NOT_COLLECTED = "--receive-pack=git -c receive.autogc=false receive-pack"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A commit that can be judged, and its tree: two candidates with one tree are the same."""

    commit: str
    tree: str
    ignored: tuple[str, ...] = ()  # files that were added and are no part of it
    size_bytes: int = 0  # of the changed files together, where it was made from a folder


@dataclass(frozen=True, slots=True)
class BlobChanges:
    """The contents that came and went between two commits; a blob may be named repeatedly."""

    added: Sequence[str]
    removed: Sequence[str]


class Worktree:
    """A checked-out commit in a folder of its own, and what comes of it; one job's."""

    def __init__(self, shared: Shared, slot: Slot, base_commit: str) -> None:
        self.base_commit = base_commit
        self._shared = shared
        self._slot = slot
        self._candidate: Candidate | None = None

    @property
    def path(self) -> Path:
        """The folder of the checkout."""
        return self._slot.checkout.path

    @property
    def scratch(self) -> Path:
        """A folder beside the checkout that is deleted with it, for whatever a job needs."""
        return self._slot.scratch

    @property
    def is_there(self) -> bool:
        """Whether its folders still are; in the strongest sandbox no child can remove them."""
        return self.path.is_dir() and self.scratch.is_dir()

    @cached_property
    def _tracked(self) -> tuple[str, ...]:
        entries = self._shared.clone.store.files(self.base_commit)
        return tuple(sorted(entry.path for entry in entries if entry.mode in REGULAR_MODES))

    def tracked_files(self) -> list[str]:
        """Paths of all regular files in the base commit, sorted, relative to `path`."""
        return list(self._tracked)

    def read(self, commit: str, path: str) -> bytes | None:
        """Content of ``path`` in ``commit``, or None where it is not a regular file.

        A commit that is not here is fetched; raises `GitError` when the remote has none such.
        """
        self._require_commit(commit)
        return self._shared.clone.store.file(commit, path)

    def common_ancestor(self, first: str, second: str) -> str | None:
        """The latest commit that both descend from, or None where none is known.

        Commits that are not here are fetched; raises `GitError` when the remote has none such.
        """
        for commit in (first, second):
            self._require_commit(commit)
        return self._shared.clone.store.common_ancestor(first, second)

    def base(self) -> Candidate:
        """The base commit itself, as a candidate."""
        return Candidate(self.base_commit, self._base.tree)

    @cached_property
    def _base(self) -> CommitFacts:
        return self._shared.clone.store.facts(self.base_commit)

    def commit_all(self, subject: str, body: str, deadline: Deadline) -> Candidate:
        """Commit what differs from the base commit; the checkout is then that of the candidate.

        Ignored files are no part of it and are removed. Raises as `snapshot` does.
        """
        candidate = self.snapshot(subject, body, deadline)
        ignored = find_ignored(self._slot.checkout, deadline, _SHOWN_IGNORED)
        self.adopt(candidate, deadline)
        return replace(candidate, ignored=tuple(ignored))

    def snapshot(self, subject: str, body: str, deadline: Deadline) -> Candidate:
        """A commit of what differs from the base commit; the folder stays as it is.

        Commits that were made meanwhile are folded into this one; ignored files are no part of
        it. The dates are a second after the base commit's, so that the same change of the same
        base has the same id. Raises `CandidateRejected` when nothing changed or the change is none
        that can be judged and kept.
        """
        self._require_sound()
        changes = find_changes(self._slot.checkout, self.base_commit, deadline)
        if changes.refused:
            more = len(changes.refused) - 1
            raise CandidateRejected(
                "the agent left what cannot be committed",
                reason=changes.refused[0] + (f", and {more} more" if more else ""),
            )
        tree = self._stage_tree(changes, deadline)
        if tree == self._base.tree:
            ignored = find_ignored(self._slot.checkout, deadline, _SHOWN_IGNORED)
            raise CandidateRejected(
                "the agent changed nothing",
                reason=f"only files that .gitignore matches: {', '.join(ignored)}"
                if ignored
                else "",
            )
        commit = self._commit(tree, subject, body, deadline)
        if ".gitmodules" in (*changes.written, *changes.removed):
            self._require_submodules(commit, deadline)
        candidate = Candidate(commit, tree, size_bytes=changes.size_bytes)
        if self._shared.large_files.begin_with(self.base_commit, candidate.commit):
            # Whatever is made from it would need git-lfs, and objects that nobody has uploaded.
            raise CandidateRejected(
                "the agent marked files for Git LFS, which the repository does not use",
                setting="WORKER_REPO_ENABLE_LFS",
                fix="set it if candidates may",
            )
        if self._slot.checkout.filters and self._shared.large_files.find_missing(
            self.base_commit, candidate.commit
        ):
            raise CandidateRejected(
                "the agent left a pointer of Git LFS in the place of a file",
                reason="what it points at is neither here nor in the commit",
            )
        return candidate

    def adopt(self, candidate: Candidate, deadline: Deadline) -> None:
        """Make it a clean checkout of a candidate that was made from the same base commit."""
        self._slot.restore(candidate.commit, deadline)
        self._candidate = candidate

    def reword(
        self, candidate: Candidate, subject: str, body: str, deadline: Deadline
    ) -> Candidate:
        """The same candidate with another message."""
        return replace(candidate, commit=self._commit(candidate.tree, subject, body, deadline))

    def recall(self, tree: str, deadline: Deadline) -> Candidate | None:
        """A candidate with a tree that was made in this clone before; None where it is gone."""
        try:
            return Candidate(self._commit(tree, "An earlier state", "", deadline), tree)
        except GitCommandFailed:
            return None

    def _commit(self, tree: str, subject: str, body: str, deadline: Deadline) -> str:
        store, message = self._shared.clone.store, CommitMessage.printable(subject, body)
        return write_commit(store, tree, self._base, message, self._shared.author, deadline)

    def tree_as_it_is(self) -> str | None:
        """The tree that `commit_all` would make of the folder by now; None where it would refuse.

        What it holds is not looked at as strictly.
        """
        try:
            return self._stage_tree_as_it_is(Deadline.after(_LOOKING_SECONDS))
        except (CandidateRejected, GitCommandFailed):
            return None

    def patch(self, limit_bytes: int) -> str:
        """What differs from the base commit as a unified diff of at most so many bytes.

        Before `commit_all`, or after it refused, this is the state of the folder, as far as git
        can say it. Binary files are named only.
        """
        deadline = Deadline.after(_LOOKING_SECONDS)
        store = self._shared.clone.store
        try:
            tree = self._candidate.tree if self._candidate else self._stage_tree_as_it_is(deadline)
        except GitCommandFailed as error:
            return f"[git cannot tell what changed: {error.stderr}]\n"[:limit_bytes]
        except CandidateRejected as refusal:
            return f"[{refusal.summary}]\n"[:limit_bytes]
        return store.patch(self.base_commit, tree, limit_bytes, deadline=deadline)

    def difference(self, commit: str, limit_bytes: int) -> str:
        """What ``commit`` does otherwise than the base commit, as a diff of at most so many bytes.

        A commit that is not here is fetched; raises `GitError` when the remote has none such.
        """
        self._require_commit(commit)
        deadline = Deadline.after(_LOOKING_SECONDS)
        store = self._shared.clone.store
        return store.patch(self.base_commit, commit, limit_bytes, deadline=deadline)

    def lend_git(self, folder: Path) -> Path:
        """Make a git folder of an agent's own at ``folder``; the objects' folder it must see."""
        objects = self._shared.clone.store.git_dir / "objects"
        make_private_git(
            folder,
            worktree=self.path,
            commit=self.base_commit,
            objects=objects,
            index=self._slot.git_dir / "index",
        )
        return objects

    def differences(self) -> list[Difference]:
        """Every path in which the candidate differs from the base commit."""
        return self._shared.clone.store.differences(self.base_commit, self._head)

    def changes_since(self, commit: str, tree: str) -> list[Difference]:
        """Every path in which a tree that was made here differs from ``commit``."""
        self._require_commit(commit)
        return self._shared.clone.store.differences(commit, tree)

    def restore(self, deadline: Deadline) -> None:
        """Make it a clean checkout of the candidate again, or of the base while there is none."""
        self._slot.restore(self._head, deadline)

    def measure(self, root_commit: str) -> Footprint:
        """Compare the candidate, or the base commit while there is none, with ``root_commit``."""
        if not self._shared.footprints.knows(root_commit):
            self._require_commit(root_commit)
        return self._shared.footprints.measure(root_commit, self._head)

    def describe(self, base_vector: Vector | None) -> Vector:
        """The code descriptor of the candidate, or of the base commit while there is none.

        With the base commit's own only the changed files are read.
        """
        vectors = self._shared.vectors
        if base_vector is None:
            return vectors.whole(self._head)
        return vectors.derived(self.base_commit, base_vector, self._head)

    def blobs_since(self, commit: str) -> BlobChanges:
        """The files in which the candidate, or the base commit, differs from ``commit``."""
        self._require_commit(commit)
        found = self._shared.clone.store.differences(commit, self._head)
        return BlobChanges(
            added=[each.new_object_id for each in found if each.new_mode in REGULAR_MODES],
            removed=[each.old_object_id for each in found if each.old_mode in REGULAR_MODES],
        )

    def contents(self, blobs: Sequence[str]) -> Iterator[bytes]:
        """What these blobs hold, in their order."""
        return self._shared.clone.store.blobs(blobs)

    def push(self, branch: str, deadline: Deadline) -> None:
        """Put the candidate on the remote's ``branch``; again is fine.

        Raises `JobLost` when the branch holds another commit: somebody else has pushed in the
        name of this job.
        """
        remote, commit = self._shared.clone.remote, self._head
        if self._slot.checkout.filters:
            self._shared.large_files.push(self.base_commit, commit, deadline)
        tidies = remote.is_folder and random() < _TIDIED_SHARE
        try:
            self._shared.clone.store.run(
                *("push", "--porcelain", "--no-verify", "--no-follow-tags"),
                *([_NOT_COLLECTED] if remote.is_folder and not tidies else []),
                *(f"--force-with-lease=refs/heads/{branch}:", "--", remote.url),
                f"{commit}:refs/heads/{branch}",
                remote=remote,
                deadline=deadline,
            )
        except GitCommandFailed as error:
            if "(stale info)" in error.stdout:
                raise JobLost(
                    "the branch of the job holds another commit", target=branch
                ) from error
            raise
        if tidies:
            with suppress(GitError):  # somebody else's folder, say; a push then takes longer
                self._shared.clone.store.git.run("-C", remote.folder, "pack-refs", "--all")

    @property
    def _head(self) -> str:
        return self._candidate.commit if self._candidate else self.base_commit

    def _require_commit(self, commit: str) -> None:
        deadline = Deadline.after(_LOOKING_SECONDS)
        lock = self._shared.slots.lock(deadline)
        self._shared.clone.require_commit(commit, lock, deadline)

    def _require_sound(self) -> None:
        if not self._slot.is_untouched():
            raise CandidateRejected("the agent replaced the worktree's .git file")
        if self._shared.clone.config.was_changed():
            self._shared.clone.config.restore()
            raise CandidateRejected("the repository's git configuration was changed meanwhile")

    def _require_submodules(self, commit: str, deadline: Deadline) -> None:
        """Raise `CandidateRejected` when the submodules of the candidate are not to be had."""
        try:
            self._shared.submodules.fetch(commit, deadline)
        except (ConfigError, GitError) as error:
            is_full_disk = error.fault is Fault.HOST and not isinstance(error, ConfigError)
            if isinstance(error, ServiceUnavailable) or is_full_disk:
                raise
            raise CandidateRejected(
                "the agent changed where submodules are from", reason=error.summary
            ) from error

    def _stage_tree_as_it_is(self, deadline: Deadline) -> str:
        if not self._slot.is_untouched():
            return self._base.tree
        self._shared.clone.config.restore()
        changes = find_changes(self._slot.checkout, self.base_commit, deadline)
        if changes.are_too_large:  # git would keep for ever what it is shown once
            raise CandidateRejected("too much was changed to be shown")
        return stage_tree(self._slot.checkout, self.base_commit, changes, deadline)

    def _stage_tree(self, changes: Changes, deadline: Deadline) -> str:
        try:
            return stage_tree(self._slot.checkout, self.base_commit, changes, deadline)
        except GitCommandFailed as error:
            if error.problems[0].fix:  # something about this host
                raise
            raise CandidateRejected(
                "git cannot store what the agent left", reason=error.stderr
            ) from error
