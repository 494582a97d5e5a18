"""A job, its states and the transitions that are legal; pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

from loreley.core.evaluation.confirmation import Confirmation
from loreley.core.evaluation.evaluation import Artifact, Evaluation
from loreley.core.evaluation.fingerprint import Fingerprint
from loreley.core.evaluation.holdout import Holdout, HoldoutResult
from loreley.core.findings import Finding
from loreley.errors import Fault, JobFailed, LoreleyError
from loreley.host.deadline import Stop
from loreley.map_elites.objective import Objective


class JobKind(StrEnum):
    """What a job is for."""

    BASELINE = "baseline"  # judge the root commit as it is
    EVOLUTION = "evolution"  # change the base commit, judge the result
    SESSION = "session"  # the same, by an agent that measures and works for long
    TUNE = "tune"  # change the numbers of the base commit by many tries, judge the best
    MEASUREMENT = "measurement"  # judge the base commit once more, as its figures are noisy
    CONFIRMATION = "confirmation"  # judge the base commit and the root side by side

    @property
    def makes_commit(self) -> bool:
        """Whether its success is a judged commit of its own."""
        return self is JobKind.BASELINE or self.changes_base

    @property
    def changes_base(self) -> bool:
        """Whether it looks for a commit that is better than its base."""
        return self in SEARCHING


EDITING = (JobKind.EVOLUTION, JobKind.SESSION)  # by an agent
SEARCHING = (*EDITING, JobKind.TUNE)


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
        {
            JobState.QUEUED,
            JobState.SUCCEEDED,
            JobState.FAILED,
            JobState.REJECTED,
            JobState.CANCELLED,
        }
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

    job_id: str
    kind: JobKind
    attempt: int  # counts from 1
    token: str
    ordinal: int  # the job's number in its experiment, from 0
    island: int
    seed: int
    root_commit: str
    base_commit: str
    inspirations: tuple[str, ...]
    agent: str | None = None  # what the search chose, if it did
    operator: str | None = None
    objective: Objective = field(default_factory=Objective)
    tries: int = 1  # attempts that count against the job, this one included
    directions: Mapping[str, bool] = field(default_factory=dict)  # of metrics: is more better?
    judge_digest: str | None = None  # of the experiment's judge; None before the root was judged
    progress: Mapping[str, Any] | None = None  # of an earlier attempt, or of who made its base

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
    footprint: Mapping[str, int]  # what the archive may tell it apart by, by name of the measure
    evaluation: Evaluation
    vector: bytes = b""  # of the code descriptor; empty where it was not computed


_OF_A_TRY = "try-"  # what the names of its files begin with


@dataclass(slots=True)
class JobRecord:
    """What is kept of an attempt at a job, however it ends; fills on the way."""

    artifacts: list[Artifact] = field(default_factory=list)
    agent: str | None = None  # who made the proposal
    operator: str | None = None  # with which of its operators
    agent_seconds: float | None = None  # that the agent took
    subject: str | None = None  # what it says it did, in one line
    places: Sequence[str] = ()  # what it changed, by names that later jobs may ask for
    shared_places: Sequence[str] = ()  # changed with others: it counts only when no metric moves
    findings: Sequence[Finding] = ()  # what it says it has found out
    tries: int = 0  # evaluations beside that of its commit
    trials: int = 0  # judged while the agent was at work, that of its commit included
    tried_seconds: float = 0.0
    progress: Mapping[str, Any] | None = None  # what a later job goes on from
    stage_seconds: dict[str, float] = field(default_factory=dict)  # how long each stage took
    judge: Fingerprint | None = None  # what the worker judges with
    host: str | None = None  # where

    def begin_anew(self, number: int) -> None:
        """Another candidate follows the one of this number, whose files keep it in their names."""
        self.operator = self.subject = None
        self.places = self.shared_places = self.findings = ()
        self.artifacts = [
            each
            if each.name.startswith(_OF_A_TRY)
            else replace(each, name=f"{_OF_A_TRY}{number}-{each.name}")
            for each in self.artifacts
        ]


_TARGET_LENGTH = 100
_LONG_WAIT_SECONDS = 20.0  # a shorter one is over before anyone is told


@dataclass(frozen=True, slots=True)
class Hindrance:
    """What kept a job from its end, or its result from the remote, and no candidate caused."""

    fault: Fault
    reason: str
    fix: str = ""
    wait_seconds: float | None = None  # for which the provider wants to be left alone

    @classmethod
    def of(cls, error: LoreleyError) -> "Hindrance":
        """What an error says of it, without what it was about where that is long."""
        told = [
            ": ".join(filter(None, (each.what, each.target, each.reason)))
            if len(each.target) <= _TARGET_LENGTH
            else ": ".join(filter(None, (each.what, each.reason)))
            for each in error.problems
        ]
        wait = error.wait_seconds
        is_long = wait is not None and wait >= _LONG_WAIT_SECONDS
        return cls(
            error.fault, " ".join("; ".join(told).split()), error.fix, wait if is_long else None
        )


@dataclass(frozen=True, slots=True)
class Tries:
    """How often a place was changed, and how often a metric moved then."""

    changed: int = 0
    moved: int = 0


@dataclass(frozen=True, slots=True)
class FailedTry:
    """A candidate that was judged in vain before its job went on with another one."""

    number: int  # within the attempt, from 1
    operator: str | None
    subject: str | None
    failure: str
    seconds: float  # from the job's claim, or the try before, to its end


@dataclass(frozen=True, slots=True)
class Trial:
    """A state of the worktree that was judged while its agent was at work."""

    number: int  # within the attempt, from 1
    tree: str
    evaluation: Evaluation | None  # None: it failed
    failure: str = ""
    is_lasting: bool = (
        True  # whether the tree would fail again, as one that ran out of time may not
    )
    seconds: float = 0.0


CountEnd = Callable[[str, JobRecord, float], None]  # the outcome, the record, the job's seconds


def ignore_end(_outcome: str, _record: JobRecord, _seconds: float) -> None:
    """A `CountEnd` for where nobody counts."""


class JobStore(Protocol):
    """What a worker asks of the database; raises `ServiceUnavailable` while it does not answer."""

    def retrying_until(self, stop: Stop) -> "JobStore":
        """The same store, which waits for the database instead, until ``stop`` is asked.

        `renew` alone does not wait: the next renewal is soon. The job's time limit is for the
        work, not for writing down what came of it.
        """
        ...

    def claim(self, job_id: str, *, worker: str, lease_seconds: float) -> Claim:
        """Take a queued job for ``lease_seconds``; raises `JobNotClaimed`."""
        ...

    def renew(self, claim: Claim, *, lease_seconds: float) -> None:
        """Hold the job for ``lease_seconds`` from now; raises `JobLost` when it is not ours."""
        ...

    def require_held(self, claim: Claim) -> None:
        """Raise `JobLost` when the job is not ours any more, as it was cancelled."""
        ...

    def release(self, claim: Claim, *, counts: bool = True) -> None:
        """Put the job back into the queue; raises `JobLost`.

        The attempt ``counts`` against the job, unless it ended for the worker's sake.
        """
        ...

    def give_back(self, claim: Claim, hindrance: Hindrance) -> None:
        """Put the job back into the queue, its attempt uncounted; raises `JobLost`."""
        ...

    def keep_progress(self, claim: Claim, progress: Mapping[str, Any], record: JobRecord) -> None:
        """Keep what a further attempt goes on from, and count the tries so far.

        Raises `JobLost`.
        """
        ...

    def note_hindrance(self, claim: Claim, hindrance: Hindrance) -> None:
        """Let everyone know what keeps the result of a job that is held; raises `JobLost`."""
        ...

    def is_alone_in_failing(self, worker: str) -> bool:
        """Whether the worker was hindered several times in a row while others were not at all."""
        ...

    def succeed(self, claim: Claim, judged: JudgedCommit, record: JobRecord) -> None:
        """Record the commit and everything about it at once; raises `JobLost`.

        Raises `CandidateRejected`, and records nothing, when another job judged the same tree
        in the meantime; and `WorkerUnfit`, like the two below, when the experiment has another
        judge than the record's. The first judge becomes the experiment's.
        """
        ...

    def find_judge(self) -> Fingerprint | None:
        """What the experiment judges with; None before the root was judged."""
        ...

    def lacks_host(self, host: str) -> bool:
        """Whether the root's metric is noisy and the host's figure of it is not known."""
        ...

    def record_host(self, host: str, machine: str, root_fitness: Sequence[float]) -> None:
        """Keep what a host makes of the root commit."""
        ...

    def add_measurement(self, claim: Claim, evaluation: Evaluation, record: JobRecord) -> None:
        """Add what was measured to the commit's earlier figures; raises `JobLost`."""
        ...

    def evaluated_seconds(self) -> float:
        """How long the evaluations of all commits have taken together."""
        ...

    def confirm(
        self, claim: Claim, confirmation: Confirmation, holdout: Holdout | None, record: JobRecord
    ) -> None:
        """Record what measuring the base commit beside the root has shown; raises `JobLost`."""
        ...

    def find_holdout(self, commit: str) -> HoldoutResult | None:
        """What the hold-out has said of a commit; None: it was not asked yet."""
        ...

    def fail(self, claim: Claim, failure: JobFailed, record: JobRecord) -> None:
        """Record why there is no commit; raises `JobLost`."""
        ...

    def add_failed_try(self, claim: Claim, failed: FailedTry, record: JobRecord) -> None:
        """Record that the announced tree was judged in vain, and the job goes on without it.

        Raises `JobLost`. Again is fine.
        """
        ...

    def add_trial(self, claim: Claim, trial: Trial, record: JobRecord) -> None:
        """Record a trial of the announced tree, and count the tries so far; raises `JobLost`.

        Again is fine.
        """
        ...

    def find_trials(self, claim: Claim) -> list[Trial]:
        """The trials of the job so far, those of earlier attempts included, in their order."""
        ...

    def find_trial(self, tree: str, record: JobRecord) -> Evaluation | None:
        """What the record's judge has said of a tree on the record's host, in a trial of any job.

        None: it was not asked, or the tree has failed.
        """
        ...

    def find_best(self) -> JudgedCommit | None:
        """The fittest commit of the experiment; None where none has a fitness."""
        ...

    def announce(self, claim: Claim, tree: str, meaning: str | None = None) -> None:
        """Say which tree the job is about to judge, and what it means; raises `JobLost`.

        Raises `CandidateRejected` when that tree, or one that means the same, was judged before, be
        it in vain, or when another job is about it. A judgement that ran out of time does not
        count. An empty meaning is the root's; None: it is not known.
        """
        ...

    def is_tree_known(self, claim: Claim, tree: str, meaning: str | None = None) -> bool:
        """Whether `announce` would refuse the tree by now."""
        ...

    def find_tries(self, places: Sequence[str]) -> Mapping[str, Tries]:
        """What came of changes at these places; those never changed are left out."""
        ...

    def find_judged(self, commits: Sequence[str]) -> list[JudgedCommit]:
        """The judged ones of these commits, in their order."""
        ...
