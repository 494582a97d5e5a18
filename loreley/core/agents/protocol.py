"""What an agent is given, what it gives back."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol

from loreley.core.budget import CallUsage
from loreley.core.jobs import Tries
from loreley.host.deadline import Deadline


@dataclass(frozen=True, slots=True)
class BriefCommit:
    """A judged commit, as a brief describes it."""

    commit: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    summary: str = ""


@dataclass(frozen=True, slots=True)
class PastFailure:
    """An attempt from a commit nearby that led to nothing."""

    subject: str  # what was tried, in one line, where that is known
    reason: str
    error_tail: str = ""  # the end of what the evaluator or the agent printed


@dataclass(frozen=True, slots=True)
class SearchContext:
    """What is known when a job begins; of notes and failures the newest is last."""

    aim: str = ""  # what makes one commit better than another, in a sentence
    constraints: tuple[str, ...] = ()  # what a commit must fulfil to count
    notes: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()  # of earlier agents, with their figures; the worthiest first
    failures: tuple[PastFailure, ...] = ()
    base_log: str = ""  # what the evaluator printed about the base commit, as far as it was kept


class Past(Protocol):
    """What an agent may ask of all earlier jobs before it settles on a change."""

    def is_known(self) -> bool:
        """Whether what stands in the workspace was judged before, or is being judged."""
        ...

    def tries_at(self, places: Sequence[str]) -> Mapping[str, Tries]:
        """What came of changes at these places, by name; those never changed are left out."""
        ...


@dataclass(frozen=True, slots=True)
class NoPast:
    """Where there are no earlier jobs."""

    def is_known(self) -> bool:
        """Nothing is."""
        return False

    def tries_at(self, places: Sequence[str]) -> Mapping[str, Tries]:  # noqa: ARG002
        """Nothing was tried."""
        return {}


class TrialOutcome(IntEnum):
    """What became of a trial; the values are exit codes."""

    MEASURED = 0
    FAILED = 1  # the candidate cannot be judged, or a gate refuses it
    UNAVAILABLE = 2  # nothing is known of the candidate: the worker cannot judge it now
    SPENT = 3  # the job has no evaluations left


@dataclass(frozen=True, slots=True)
class TrialAnswer:
    """What an agent is told of a trial."""

    outcome: TrialOutcome
    content: Mapping[str, Any]  # as JSON has it; without secrets


class Trials(Protocol):
    """Judges the workspace while its agent is at work, within the job's allowance.

    The best state that was judged becomes the candidate where the last one is no better.
    """

    @property
    def left(self) -> int:
        """How many evaluations are left."""
        ...

    @property
    def is_judging(self) -> bool:
        """Whether one is under way, so that the agent may well be silent."""
        ...

    def evaluate(self) -> TrialAnswer:
        """Judge the workspace as it is; what was judged before costs nothing.

        Never raises: what keeps the worker from judging is an answer, too.
        """
        ...

    def best(self) -> TrialAnswer:
        """The best state of the workspace that was judged in this job so far."""
        ...

    def lineage(self) -> TrialAnswer:
        """The judged commits that led to the base commit, which is the last."""
        ...

    def end(self) -> None:
        """Give up what is under way, from any thread, and judge nothing more for the agent."""
        ...


@dataclass(frozen=True, slots=True)
class Brief:
    """What one job asks of its agent.

    ``seed`` is the only source of randomness an agent may use: the same brief on the same
    base gives the same proposal, as far as the agent can promise it.
    """

    seed: int
    goal: str
    base: BriefCommit
    inspirations: Sequence[BriefCommit] = ()
    operator: str | None = None  # which of its operators an agent that has several should use
    editable: Sequence[str] = ()  # globs of what may be changed; empty: everything
    protected: Sequence[str] = ()  # globs of what may not, whatever else is said
    region: Sequence[str] = ()  # the marks that begin and end what may be changed, if any
    context: SearchContext = field(default_factory=SearchContext)
    past: Past = field(default_factory=NoPast)
    root_commit: str = ""  # that the experiment began with, where it is known
    judge: str = ""  # source of the evaluator: what it imports matters; never shown
    trials: Trials | None = None  # None: the agent may measure nothing


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the agent says it did; what it did is the state of the worktree."""

    subject: str  # one line, for the commit
    summary: str = ""  # plain text, for the commit's body
    operator: str | None = None  # which of its operators it was
    places: Sequence[str] = ()  # what was changed, by names that later jobs may ask for
    shared_places: Sequence[str] = ()  # changed with others: it counts only when no metric moves
    costs_nothing: bool = False  # so that another one may be drawn where this one fails


class Workspace(Protocol):
    """The checked-out base commit that an agent edits in place."""

    @property
    def path(self) -> Path:
        """The folder of the checkout."""
        ...

    @property
    def base_commit(self) -> str:
        """The commit that was checked out."""
        ...

    def tracked_files(self) -> list[str]:
        """Paths of all regular files in the base commit, sorted, relative to `path`."""
        ...

    def read(self, commit: str, path: str) -> bytes | None:
        """Content of ``path`` in ``commit``, or None where it is not a regular file."""
        ...

    def common_ancestor(self, first: str, second: str) -> str | None:
        """The latest commit that both descend from, or None where none is known."""
        ...


class AgentWorkspace(Workspace, Protocol):
    """A workspace with what an agent needs that knows no more of the past than it is told."""

    @property
    def scratch(self) -> Path:
        """A folder beside the checkout that is deleted with it."""
        ...

    def lend_git(self, folder: Path) -> Path:
        """Make a git folder of the agent's own at ``folder``; the objects' folder it must see."""
        ...

    def patch(self, limit_bytes: int) -> str:
        """What differs from the base commit by now, as a diff of at most so many bytes."""
        ...

    def difference(self, commit: str, limit_bytes: int) -> str:
        """What ``commit`` does otherwise than the base commit, as a diff of so many bytes."""
        ...


class CallRecorder(Protocol):
    """Where an agent records its paid calls and its texts; kept however the job ends."""

    def paid_call(self, deadline: Deadline, *, priced: bool) -> AbstractContextManager[CallUsage]:
        """Around each call that may cost money; waits for its share of the budget.

        That wait takes nothing of the time until ``deadline``: the call holds the later one.
        ``priced`` says whether the call will hold a price. Raises `BudgetReached` when the
        budget allows no further call, `AgentFailed` when it cannot be kept without a price.
        """
        ...

    def keep(self, name: str, text: str) -> None:
        """Keep a text with the job; again under the same name adds to it."""
        ...


class Agent(Protocol):
    """A variation operator: edits the workspace and never commits.

    Raises `AgentFailed` when it has no proposal to give.
    """

    @property
    def name(self) -> str:
        """How the agent is called in settings, logs and statistics."""
        ...

    def propose(
        self, workspace: AgentWorkspace, brief: Brief, deadline: Deadline, recorder: CallRecorder
    ) -> Proposal:
        """Change files under the workspace's path to serve the brief, before the deadline."""
        ...
