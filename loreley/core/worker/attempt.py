"""What a job does in its worktree: propose, commit, pass the gates, be judged, be pushed."""

import time
from dataclasses import dataclass, field

from loguru import logger

from loreley.core.agents.protocol import Agent, Proposal
from loreley.core.agents.router import Router, choose_agent
from loreley.core.evaluation.cascade import Cascade
from loreley.core.evaluation.evaluation import Artifact, Evaluation
from loreley.core.jobs import Claim, JobKind, JobRecord, JobStore, JudgedCommit
from loreley.core.worker.briefing import Briefing
from loreley.core.worker.code_descriptor import EMBEDDING, Describer, DescribeRequest
from loreley.core.worker.gates import Gates
from loreley.core.worker.repository import Candidate, Worktree
from loreley.core.worker.retrying import patiently
from loreley.core.worker.stopwatch import timed
from loreley.errors import JobFailed
from loreley.host.deadline import Deadline
from loreley.host.failpoints import Failpoint, hit
from loreley.map_elites.descriptor import packed, unpacked

_PATCH_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class AttemptOptions:
    """What holds for every attempt of a worker."""

    branch_prefix: str
    agent_timeout_seconds: float
    briefing: Briefing
    describer: Describer | None = None  # None: the archive needs no code descriptor
    gates: Gates = field(default_factory=Gates)


@dataclass(slots=True)
class Attempt:
    """One attempt at a job; ``record`` fills on the way and is kept however it ends."""

    claim: Claim
    worktree: Worktree
    deadline: Deadline
    jobs: JobStore
    agent: Agent | Router
    judge: Cascade
    options: AttemptOptions
    record: JobRecord

    def judged_commit(self) -> JudgedCommit:
        """The job's commit with its evaluation, pushed if it is a new one.

        Raises `JobFailed` of a kind that says what went wrong.
        """
        known = self.jobs.judged([self.claim.base_commit, *self.claim.inspirations])
        parent = next((each for each in known if each.commit == self.claim.base_commit), None)
        if self.claim.kind is JobKind.EVOLUTION:
            candidate, proposal = self._proposed(known)
        else:
            candidate, proposal = self.worktree.base(), Proposal("the root commit")
        footprint = self.worktree.measure(self.claim.root_commit)
        vector = self._vector(parent)
        evaluation = self.evaluation(candidate.commit)
        return JudgedCommit(
            commit=candidate.commit,
            tree=candidate.tree,
            parent=self.claim.base_commit if self.claim.kind is JobKind.EVOLUTION else None,
            branch=self._pushed(),
            subject=proposal.subject,
            edit_distance=footprint.edit_distance,
            code_size=footprint.code_size,
            evaluation=evaluation,
            vector=vector,
        )

    def evaluation(self, commit: str) -> Evaluation:
        """What the evaluator says of the checked-out commit."""
        with timed(self.record, "evaluation"):
            judgement = self.judge.judge(
                self.worktree,
                commit,
                self.deadline,
                may_stop=self.claim.kind is not JobKind.MEASUREMENT,
            )
        self.record.artifacts.append(
            Artifact("evaluation.log", "text/plain", judgement.log.encode())
        )
        self.record.artifacts.extend(judgement.artifacts)
        hit(Failpoint.EVALUATED)
        return judgement.evaluation

    def _proposed(self, known: list[JudgedCommit]) -> tuple[Candidate, Proposal]:
        """A candidate that has passed every gate, with what its agent says of it."""
        proposal = self._asked(choose_agent(self.agent, self.claim), known)
        try:
            with timed(self.record, "commit"):
                candidate = self.worktree.commit_all(
                    proposal.subject, proposal.summary, self.deadline
                )
        finally:  # what was refused is looked at too
            patch = self.options.briefing.secrets.hidden_in(self.worktree.patch(_PATCH_BYTES))
            self.record.artifacts.append(Artifact("patch.diff", "text/x-diff", patch.encode()))
        hit(Failpoint.COMMITTED)
        self.options.gates.check(self.worktree, candidate.commit)
        self.jobs.announce(self.claim, candidate.tree)
        return candidate, proposal

    def _asked(self, agent: Agent, known: list[JudgedCommit]) -> Proposal:
        """What the agent proposes, having changed the worktree; recorded even when it fails."""
        briefing, record = self.options.briefing, self.record
        record.agent = agent.name
        started = time.monotonic()
        try:
            proposal = agent.propose(
                self.worktree,
                briefing.brief(self.claim, known),
                self.deadline.within(self.options.agent_timeout_seconds),
                briefing.recorder(self.claim, agent.name, record, self.deadline),
            )
        except JobFailed as failure:  # it tells what the agent has printed
            briefing.hide_secrets(failure)
            raise
        finally:
            record.agent_seconds = time.monotonic() - started
        hit(Failpoint.PROPOSED)
        proposal = briefing.without_secrets(proposal)
        record.operator, record.subject = proposal.operator, proposal.subject
        logger.info(
            "{} proposes in {:.1f} s: {}", agent.name, record.agent_seconds, proposal.subject
        )
        return proposal

    def _vector(self, parent: JudgedCommit | None) -> bytes:
        if self.options.describer is None:
            return b""
        vector = self.options.describer.describe(
            DescribeRequest(
                self.worktree,
                self.claim.root_commit,
                unpacked(parent.vector) if parent else None,
                self.options.briefing.recorder(self.claim, EMBEDDING, self.record, self.deadline),
                self.deadline,
            )
        )
        return packed(vector)

    def _pushed(self) -> str | None:
        if self.claim.kind is not JobKind.EVOLUTION:
            return None
        branch = f"{self.options.branch_prefix}/{self.claim.name}"
        with timed(self.record, "push"):
            patiently(lambda: self.worktree.push(branch, self.deadline), self.deadline)
        logger.info("pushed {}", branch)
        hit(Failpoint.PUSHED)
        return branch
