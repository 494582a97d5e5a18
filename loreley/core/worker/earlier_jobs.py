"""What a job's agent may ask of all jobs before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loreley.core.jobs import Claim, JobStore, Tries
from loreley.core.worker.repository import Worktree


@dataclass(frozen=True, slots=True)
class EarlierJobs:
    """Answers from the store, for what stands in the job's worktree."""

    claim: Claim
    jobs: JobStore
    worktree: Worktree

    def is_known(self) -> bool:
        """Whether what stands in the worktree was judged before, or is being judged."""
        tree = self.worktree.tree_as_it_is()
        return tree is not None and self.jobs.is_tree_known(self.claim, tree)

    def tries_at(self, places: Sequence[str]) -> Mapping[str, Tries]:
        """What came of changes at these places, by name; those never changed are left out."""
        return self.jobs.find_tries(places)
