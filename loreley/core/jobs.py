"""A job, its states and the transitions that are legal; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from loreley.core.evaluation import Artifact, Evaluation
from loreley.errors import JobFailed


class JobKind(StrEnum):
    """What a job is for."""

    BASELINE = "baseline"  # judge the root commit as it is
    EVOLUTION = "evolution"  # change the base commit, judge the result


class JobState(StrEnum):
    """Where a job is on its way."""

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether a job in this state never changes again."""
        return not TRANSITIONS[self]


TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.PENDING: frozenset({JobState.QUEUED, JobState.CANCELLED}),
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED}),
    JobState.RUNNING: frozenset(
        {JobState.QUEUED, JobState.SUCCEEDED, JobState.FAILED, JobState.REJECTED}
    ),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.REJECTED: frozenset(),
    JobState.CANCELLED: frozenset(),
}

FINAL_STATES = frozenset(state for state in JobState if not TRANSITIONS[state])


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that a worker holds: valid while ``token`` is the one in the database."""

    job_id: UUID
    kind: JobKind
    attempt: int  # counts from 1
    token: str
    ordinal: int  # the job's number in its experiment, from 0
    island: int
    seed: int
    root_commit: str
    base_commit: str
    inspirations: tuple[str, ...]

    @property
    def name(self) -> str:
        """The job and attempt as one part of a path or branch."""
        return f"{self.job_id}-{self.attempt}"


@dataclass(frozen=True, slots=True)
class JudgedCommit:
    """A candidate with its evaluation: what a job is for."""

    commit: str
    tree: str
    parent: str | None  # None for the root
    branch: str | None  # where it was pushed; None for the root
    subject: str
    edit_distance: int  # lines added and removed since the root
    code_size: int  # bytes of text files
    evaluation: Evaluation


class JobStore(Protocol):
    """What a worker asks of the database."""

    def claim(self, job_id: str, *, worker: str, lease_seconds: float) -> Claim:
        """Take a queued job for ``lease_seconds``; raises `JobNotClaimed`."""
        ...

    def renew(self, claim: Claim, *, lease_seconds: float) -> None:
        """Hold the job for ``lease_seconds`` from now; raises `JobLost` when it is not ours."""
        ...

    def release(self, claim: Claim) -> None:
        """Put the job back into the queue; raises `JobLost`."""
        ...

    def succeed(
        self, claim: Claim, judged: JudgedCommit, artifacts: Sequence[Artifact] = ()
    ) -> None:
        """Record the commit and everything about it at once; raises `JobLost`.

        Raises `CandidateRejected`, and records nothing, when another job judged the same tree
        in the meantime.
        """
        ...

    def fail(self, claim: Claim, failure: JobFailed, artifacts: Sequence[Artifact] = ()) -> None:
        """Record why there is no commit; raises `JobLost`."""
        ...

    def judged_commit_of(self, tree: str) -> str | None:
        """The commit that was judged with exactly this tree, if any."""
        ...

    def judged(self, commits: Sequence[str]) -> list[JudgedCommit]:
        """The judged ones of these commits, in their order."""
        ...
