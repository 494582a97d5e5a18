"""The trials of one job: its worktree is judged as it is, while an agent is at work on it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from loguru import logger

from loreley.core.agents.protocol import TrialAnswer, TrialOutcome
from loreley.core.evaluation.cascade import Cascade
from loreley.core.evaluation.evaluation import Evaluation, require_directions
from loreley.core.evaluation.evaluator import Judgement
from loreley.core.jobs import Claim, JobRecord, JobStore, Trial
from loreley.core.worker.earlier_jobs import EarlierJobs
from loreley.core.worker.gates import Gates
from loreley.core.worker.repository import Candidate, WorkerRepository, Worktree
from loreley.core.worker.secret_scan import Secrets
from loreley.core.worker.suspicion import Suspicion, find_host_trouble
from loreley.core.worker.trials.answers import Comparison, describe_log
from loreley.core.worktrees.removal import delete
from loreley.errors import (
    CandidateRejected,
    EvaluationFailed,
    JobFailed,
    JobInterrupted,
    LoreleyError,
    TimeLimitReached,
)
from loreley.host.backoff import retry_outages
from loreley.host.deadline import Deadline, Stop

_SUBJECT = "A state of the worktree under way"
_MOST_STAGED_BYTES = 1024 * 1024 * 1024  # of states that differ, together
_ASKS_FOR_ONE = 20  # questions for each evaluation of the allowance: each looks at every file
_LEAST_ASKS = 100
_MOST_ANCESTORS = 30
_OVER = "the agent's work is over"


@dataclass(frozen=True, slots=True)
class Judged:
    """A state of the worktree with what the evaluator said of it."""

    candidate: Candidate
    judgement: Judgement
    score: float | None  # higher is better; None: it has none
    seconds: float | None = None  # that its trial took; None: another job has judged the tree

    def is_better_than(self, score: float | None) -> bool:
        """Whether it is fitter; what has a score is better than what has none."""
        if self.score is None:
            return False
        return score is None or self.score > score


@dataclass(slots=True)
class JobTrials:
    """Judges the worktree of a job as it is, in a checkout of its own; a `Trials`.

    One question at a time is answered, whatever thread asks. What was judged before, by this job or
    by any other, is answered from what is known of it.
    """

    claim: Claim
    jobs: JobStore
    judge: Cascade
    repository: WorkerRepository
    worktree: Worktree  # the agent's; it is read and never written to
    gates: Gates
    secrets: Secrets
    record: JobRecord
    suspicion: Suspicion
    deadline: Deadline
    allowance: int
    require_judge: Callable[[], None] = lambda: None  # raises where the evaluator was changed
    is_judging: bool = False
    _used: int = 0
    _staged_bytes: int = 0
    _staged: set[str] = field(default_factory=set)  # trees
    _asks: int = 0
    _number: int = 0  # of the latest trial within this attempt
    _comparison: Comparison | None = None  # None: nobody has asked so far
    _known: dict[str, Judged] = field(default_factory=dict)  # by tree
    _failed: dict[str, JobFailed] = field(default_factory=dict)
    _leases: ExitStack = field(default_factory=ExitStack)
    _checkout: Worktree | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _over: Stop = field(init=False)  # of the agent's work
    _asking: Deadline = field(init=False)

    def __post_init__(self) -> None:
        self._over = Stop(self.deadline.stop)
        self._asking = replace(self.deadline, stop=self._over)

    @contextmanager
    def open(self) -> Iterator["JobTrials"]:
        """Answer in here; afterwards whatever is under way is given up, and the checkout is gone.

        What was judged stays known, also of an earlier attempt that the worker did not end.
        """
        if self.claim.attempt > 1:
            self._begin()
        try:
            yield self
        finally:
            self.end()
            with self._turn:
                self._leases.close()

    @property
    def left(self) -> int:
        """How many evaluations are left."""
        return max(0, self.allowance - self._used)

    @property
    def winner(self) -> Judged | None:
        """The best state so far: of equal ones the first, and one without a score after all."""
        best: Judged | None = None
        for each in self._known.values():
            if best is None or each.is_better_than(best.score):
                best = each
        return best

    def evaluate(self) -> TrialAnswer:
        """Judge the worktree as it is; what was judged before costs nothing. Never raises."""
        with self._turn:
            self._asks += 1
            try:
                self._over.check()
                self._begin()
                return self._evaluate()
            except CandidateRejected as refusal:  # nothing was judged
                return self._answer(TrialOutcome.FAILED, error=refusal.summary)
            except JobInterrupted as over:
                return self._answer(TrialOutcome.UNAVAILABLE, error=over.summary)
            except (LoreleyError, OSError) as error:
                logger.warning("a trial came to nothing: {}", error)
                return self._answer(
                    TrialOutcome.UNAVAILABLE, error="the worker cannot judge this: go on without"
                )

    def best(self) -> TrialAnswer:
        """The best state of the worktree that was judged in this job so far."""
        with self._turn:
            winner = self.winner
            if winner is None:
                return self._answer(TrialOutcome.FAILED, error="nothing was judged so far")
            return self._describe(winner)

    def lineage(self) -> TrialAnswer:
        """The judged commits that led to the base commit, which is the last."""
        found: list[dict[str, Any]] = []
        commit: str | None = self.claim.base_commit
        while commit and len(found) < _MOST_ANCESTORS:
            judged = next(iter(self.jobs.find_judged([commit])), None)
            if judged is None:
                break
            figures = {each.name: each.value for each in judged.evaluation.metrics}
            subject = self.secrets.hide_in(judged.subject)
            found.insert(0, {"commit": commit, "subject": subject, "metrics": figures})
            commit = judged.parent
        return self._answer(TrialOutcome.MEASURED, commits=found)

    def end(self) -> None:
        """Give up what is under way, from any thread, and judge nothing more for the agent."""
        self._over.ask(JobInterrupted(_OVER))

    def judge_last(self, candidate: Candidate) -> None:
        """Judge what the agent left in the end, where it was not judged before.

        It stands in the worktree, has passed the gates and is announced; no allowance is needed.
        Raises `JobFailed`, once that is recorded.
        """
        if candidate.tree not in self._known:
            self._judge(self.worktree, candidate, self.deadline)

    def require_not_failed(self, tree: str) -> None:
        """Raise the failure of a tree that was judged in vain in this job."""
        if failed := self._failed.get(tree):
            raise failed

    def uncount(self, judged: Judged) -> None:
        """Leave a state that becomes the job's commit out of the tries beside it."""
        if judged.seconds is not None:
            self.record.tries -= 1
            self.record.tried_seconds -= judged.seconds

    def _begin(self) -> None:
        """Read what is needed once somebody asks."""
        if self._comparison is not None:
            return
        claim = self.claim
        known = self.jobs.find_judged([claim.root_commit, claim.base_commit])
        metrics = {each.commit: each.evaluation.metrics for each in known}
        best = self.jobs.find_best()
        self._comparison = Comparison(
            claim.objective.directed(claim.directions),
            root=metrics.get(claim.root_commit, ()),
            base=metrics.get(claim.base_commit, ()),
            best=best.evaluation.metrics if best else (),
        )
        self._recall()

    def _recall(self) -> None:
        """Go on from the trials of earlier attempts, as far as their states are still here."""
        earlier = self.jobs.find_trials(self.claim)
        self._used = self.record.tries = self.record.trials = len(earlier)
        self.record.tried_seconds = sum(each.seconds for each in earlier)
        for each in earlier:
            if each.evaluation is None or self.jobs.find_trial(each.tree, self.record) is None:
                continue  # it failed, or was judged by another evaluator or elsewhere
            candidate = self.worktree.recall(each.tree, self.deadline)
            if candidate is not None:
                self._keep(candidate, Judgement(each.evaluation, "", ()), each.seconds)

    def _evaluate(self) -> TrialAnswer:
        if self._asks > max(_LEAST_ASKS, _ASKS_FOR_ONE * self.allowance):
            return self._answer(TrialOutcome.SPENT, error="you have asked too often")
        if self._staged_bytes > _MOST_STAGED_BYTES:
            raise CandidateRejected(
                "no further state is looked at",
                reason=f"those so far changed {self._staged_bytes} bytes together",
            )
        candidate = self.worktree.snapshot(_SUBJECT, "", self._asking)
        if candidate.tree not in self._staged:
            self._staged.add(candidate.tree)
            self._staged_bytes += candidate.size_bytes
        if known := self._known.get(candidate.tree):
            return self._describe(known, judged_before=True)
        if failed := self._failed.get(candidate.tree):
            return self._describe_failure(failed, candidate)
        if not self.left:
            return self._answer(
                TrialOutcome.SPENT, error=f"all {self.allowance} evaluations are used up"
            )
        checkout = self._check_out(candidate)
        self.gates.check(checkout, candidate.commit)
        self._announce(checkout, candidate)
        said = self.jobs.find_trial(candidate.tree, self.record)
        if said is not None:
            known = self._keep(candidate, Judgement(said, "", ()), None)
            return self._describe(known, judged_before=True)
        try:
            return self._describe(self._judge(checkout, candidate, self._asking))
        except JobFailed as failure:
            if candidate.tree not in self._failed:  # it is no failure of the candidate
                raise
            return self._describe_failure(failure, candidate)

    def _check_out(self, candidate: Candidate) -> Worktree:
        """The candidate in the checkout of the trials, which nobody else writes to."""
        if self._checkout is None:
            lease = partial(
                self.repository.lease,
                *(self.claim.base_commit, f"{self.claim.name}-trial", self._asking),
            )
            self._checkout = retry_outages(
                lambda: self._leases.enter_context(lease()), self._asking
            )
        self._checkout.adopt(candidate, self._asking)
        for path in self._checkout.scratch.iterdir():
            delete(path)
        return self._checkout

    def _announce(self, checkout: Worktree, candidate: Candidate) -> None:
        """Say which tree is judged; raises `CandidateRejected`, which names no other job."""
        earlier = EarlierJobs(self.claim, self.jobs, checkout, self.gates.meaning)
        try:
            earlier.announce(candidate.tree)
        except CandidateRejected as refusal:
            raise CandidateRejected(refusal.problems[0].what) from refusal

    def _judge(self, checkout: Worktree, candidate: Candidate, deadline: Deadline) -> Judged:
        """Judge and record; a failure of the candidate is recorded, too, and raised."""
        began = time.monotonic()
        self.is_judging = True
        try:
            judgement = self.judge.judge(checkout, candidate.commit, deadline)
            require_directions(judgement.evaluation, self.claim.directions)
            self.require_judge()
        except JobFailed as failure:
            deadline.stop.check()
            self.require_judge()
            self._require_its_fault(failure, checkout)
            self._record(candidate, time.monotonic() - began, failure=failure)
            self._failed[candidate.tree] = failure
            logger.info("trial {} failed: {}", self._number, failure.summary)
            raise
        finally:
            self.is_judging = False
        self.suspicion.clear()
        seconds = time.monotonic() - began
        self._record(candidate, seconds, judgement.evaluation)
        logger.info("trial {}: {}", self._number, _format_metrics(judgement.evaluation))
        return self._keep(candidate, judgement, seconds)

    def _require_its_fault(self, failure: JobFailed, checkout: Worktree) -> None:
        """Raise what is at fault for a failure where it is not the candidate."""
        if trouble := find_host_trouble(failure, checkout.path.parent):
            raise trouble
        if self.deadline.remaining_seconds <= 0:
            raise failure
        if isinstance(failure, EvaluationFailed):
            self.suspicion.look_into(failure)

    def _record(
        self,
        candidate: Candidate,
        seconds: float,
        evaluation: Evaluation | None = None,
        failure: JobFailed | None = None,
    ) -> None:
        self._number += 1
        self._used += 1
        self.record.tries += 1
        self.record.trials += 1
        self.record.tried_seconds += seconds
        trial = Trial(
            self._number,
            candidate.tree,
            evaluation,
            failure=self.secrets.hide_in(failure.summary) if failure else "",
            is_lasting=not isinstance(failure, TimeLimitReached),
            seconds=seconds,
        )
        self.jobs.add_trial(self.claim, trial, self.record)

    def _keep(self, candidate: Candidate, judgement: Judgement, seconds: float | None) -> Judged:
        assert self._comparison is not None  # somebody has asked
        score = self._comparison.score(judgement.evaluation.metrics)
        judged = self._known[candidate.tree] = Judged(candidate, judgement, score, seconds)
        return judged

    def _describe(self, judged: Judged, **more: object) -> TrialAnswer:
        assert self._comparison is not None
        judgement = judged.judgement
        told = self._comparison.describe(judgement.evaluation, judgement.log)
        state = _name_state(judged.candidate)
        return self._answer(TrialOutcome.MEASURED, state=state, **told, **more)

    def _describe_failure(self, failure: JobFailed, candidate: Candidate) -> TrialAnswer:
        told = {"state": _name_state(candidate), "error": failure.summary}
        return self._answer(TrialOutcome.FAILED, **told, **describe_log(failure.log))

    def _answer(self, outcome: TrialOutcome, **told: object) -> TrialAnswer:
        content = {name: self._without_secrets(value) for name, value in told.items()}
        return TrialAnswer(outcome, content | {"evaluations_left": self.left})

    def _without_secrets(self, value: object) -> Any:
        return self.secrets.hide_in(value) if isinstance(value, str) else value


def _name_state(candidate: Candidate) -> str:
    """How an agent is told of a state, and names it."""
    return candidate.tree[:12]


def _format_metrics(evaluation: Evaluation) -> str:
    return " ".join(f"{each.name}={each.value:.6g}" for each in evaluation.metrics[:4])
