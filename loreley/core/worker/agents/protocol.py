"""What an agent is given, what it gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from loreley.deadline import Deadline


@dataclass(frozen=True, slots=True)
class Specimen:
    """A judged commit, as an agent is told of it."""

    commit: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    summary: str = ""
    traits: Mapping[str, float] = field(default_factory=dict)  # what its own agent passed on


@dataclass(frozen=True, slots=True)
class Brief:
    """What one job asks of its agent.

    ``seed`` is the only source of randomness an agent may use: the same brief on the same
    base gives the same proposal, as far as the agent can promise it.
    """

    seed: int
    goal: str
    base: Specimen
    inspirations: Sequence[Specimen] = ()
    operator: str | None = None  # which of its operators an agent that has several should use


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the agent says it did; what it did is the state of the worktree."""

    subject: str  # one line, for the commit
    summary: str = ""  # plain text, for the commit's body
    operator: str | None = None  # which of its operators it was
    traits: Mapping[str, float] = field(default_factory=dict)  # for the agents of its children


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


class Agent(Protocol):
    """A variation operator: edits the workspace and never commits.

    Raises `AgentFailed` when it has no proposal to give.
    """

    @property
    def name(self) -> str:
        """How the agent is called in settings, logs and statistics."""
        ...

    def propose(self, workspace: Workspace, brief: Brief, deadline: Deadline) -> Proposal:
        """Change files under the workspace's path to serve the brief, before the deadline."""
        ...
