"""What a job does in its worktree: propose, commit, pass the gates, be judged, be pushed."""

import time
from dataclasses import dataclass

from loguru import logger

from loreley.core.evaluation import Artifact, Evaluation
from loreley.core.jobs import Claim, JobKind, JobStore, JudgedCommit, Record
from loreley.core.map_elites.descriptor import packed, unpacked
from loreley.core.worker.agents.protocol import Agent, Brief, Proposal, Specimen
from loreley.core.worker.cascade import Cascade
from loreley.core.worker.repository import Candidate, Worktree
from loreley.deadline import Deadline
from loreley.errors import CandidateRejected
from loreley.holding import Point, reached

_PATCH_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class AttemptOptions:
    """What holds for every attempt of a worker."""

    goal: str
    branch_prefix: str
    agent_timeout_seconds: float
    describes: bool  # whether the archive needs the code descriptor


@dataclass(slots=True)
class Attempt:
    """One attempt at a job; ``record`` fills on the way and is kept however it ends."""

    claim: Claim
    worktree: Worktree
    deadline: Deadline
    jobs: JobStore
    agent: Agent
    judge: Cascade
    options: AttemptOptions
    record: Record

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
            traits=proposal.traits,
        )

    def evaluation(self, commit: str) -> Evaluation:
        """What the evaluator says of the checked-out commit."""
        judgement = self.judge.judge(
            self.worktree.path, commit, self.worktree.scratch, self.deadline
        )
        self.record.artifacts.append(
            Artifact("evaluation.log", "text/plain", judgement.log.encode())
        )
        self.record.artifacts.extend(judgement.artifacts)
        reached(Point.EVALUATED)
        return judgement.evaluation

    def _proposed(self, known: list[JudgedCommit]) -> tuple[Candidate, Proposal]:
        """A candidate that has passed every gate, with what its agent says of it."""
        started = time.monotonic()
        self.record.agent = self.agent.name
        proposal = self.agent.propose(
            self.worktree,
            self._brief(known),
            self.deadline.within(self.options.agent_timeout_seconds),
        )
        reached(Point.PROPOSED)
        self.record.operator = proposal.operator
        seconds = time.monotonic() - started
        logger.info("{} proposes in {:.1f} s: {}", self.agent.name, seconds, proposal.subject)
        candidate = self.worktree.commit_all(proposal.subject, proposal.summary, self.deadline)
        patch = self.worktree.patch(_PATCH_BYTES)
        self.record.artifacts.append(Artifact("patch.diff", "text/x-diff", patch.encode()))
        reached(Point.COMMITTED)
        self._refuse_known(candidate)
        return candidate, proposal

    def _brief(self, known: list[JudgedCommit]) -> Brief:
        specimens = {judged.commit: _specimen(judged) for judged in known}
        base = self.claim.base_commit
        return Brief(
            seed=self.claim.seed,
            goal=self.options.goal,
            base=specimens.get(base, Specimen(base)),
            inspirations=tuple(
                specimens[commit] for commit in self.claim.inspirations if commit in specimens
            ),
            operator=self.claim.operator,
        )

    def _refuse_known(self, candidate: Candidate) -> None:
        twin = self.jobs.judged_commit_of(candidate.tree)
        if twin is not None:
            raise CandidateRejected("the same tree was judged before", target=twin)

    def _vector(self, parent: JudgedCommit | None) -> bytes:
        if not self.options.describes:
            return b""
        return packed(self.worktree.describe(unpacked(parent.vector) if parent else None))

    def _pushed(self) -> str | None:
        if self.claim.kind is not JobKind.EVOLUTION:
            return None
        branch = f"{self.options.branch_prefix}/{self.claim.name}"
        self.worktree.push(branch, self.deadline)
        logger.info("pushed {}", branch)
        reached(Point.PUSHED)
        return branch


def _specimen(judged: JudgedCommit) -> Specimen:
    metrics = {metric.name: metric.value for metric in judged.evaluation.metrics}
    return Specimen(judged.commit, metrics, judged.evaluation.summary, judged.traits)
