"""What a job's agent may ask of all jobs before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from loreley.core.agents.genetic.source.meaning import find_meaning, may_read
from loreley.core.jobs import Claim, JobStore, Tries
from loreley.core.worker.repository import Worktree
from loreley.git.objects import REGULAR_MODES, Difference

_MOST_READ = 200  # files that differ from the root


@dataclass(frozen=True, slots=True)
class EarlierJobs:
    """Answers from the store, for what stands in the job's worktree."""

    claim: Claim
    jobs: JobStore
    worktree: Worktree
    reads_meaning: bool = False  # else trees are told apart by their bytes alone

    def is_known(self) -> bool:
        """Whether what stands in the worktree was judged before, or is being judged."""
        tree = self.worktree.tree_as_it_is()
        return tree is not None and self.jobs.is_tree_known(self.claim, tree, self._read(tree))

    def announce(self, tree: str) -> None:
        """Say that the job is about to judge this tree; raises as `JobStore.announce` does."""
        self.jobs.announce(self.claim, tree, self._read(tree))

    def tries_at(self, places: Sequence[str]) -> Mapping[str, Tries]:
        """What came of changes at these places, by name; those never changed are left out."""
        return self.jobs.find_tries(places)

    def _read(self, tree: str) -> str | None:
        if not self.reads_meaning:
            return None
        return read_meaning(self.worktree, self.claim.root_commit, tree)


def read_meaning(worktree: Worktree, root_commit: str, tree: str) -> str:
    """A digest of how a tree differs from the root, blanks, comments and local names apart.

    Empty where it does so in nothing else.
    """
    changes = worktree.changes_since(root_commit, tree)
    source = [each for each in changes if may_read(each.path) and _is_regular(each)][:_MOST_READ]
    blobs = [blob for each in source for blob in (each.old_object_id, each.new_object_id)]
    contents = dict(zip(blobs, worktree.contents(blobs), strict=True))
    said = []
    for each in changes:
        old, new = each.old_object_id, each.new_object_id
        if old in contents and new in contents and may_read(each.path):
            old, new = (find_meaning(each.path, contents[blob]) for blob in (old, new))
        if (each.old_mode, old) != (each.new_mode, new):
            said.append(f"{each.new_mode} {new} {each.path}\0")
    return (
        sha256("".join(sorted(said)).encode("utf-8", "surrogateescape")).hexdigest() if said else ""
    )


def _is_regular(change: Difference) -> bool:
    return change.old_mode in REGULAR_MODES and change.new_mode in REGULAR_MODES
