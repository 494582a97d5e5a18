"""A job, its states and the transitions that are legal; pure."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


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
