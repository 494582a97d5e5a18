"""What the worktrees of one repository have in common."""

from dataclasses import dataclass

from loreley.core.worktrees.base_clone import BaseClone
from loreley.core.worktrees.commit_vectors import CommitVectors
from loreley.core.worktrees.footprint import Footprints
from loreley.core.worktrees.lfs import LargeFiles
from loreley.core.worktrees.slots import Slots
from loreley.core.worktrees.submodules.checkouts import Submodules
from loreley.git.commits import Identity


@dataclass(frozen=True, slots=True)
class Shared:
    """What the worktrees of one repository have in common."""

    clone: BaseClone
    slots: Slots
    large_files: LargeFiles
    submodules: Submodules
    footprints: Footprints
    vectors: CommitVectors
    author: Identity
