"""A finalist and the root side by side on one worker: is it better, and on unseen data too?"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from random import Random

from loguru import logger

from loreley.core.evaluation.cascade import Cascade
from loreley.core.evaluation.confirmation import Confirmation, confirm
from loreley.core.evaluation.evaluation import require_directions
from loreley.core.evaluation.holdout import Holdout, HoldoutResult
from loreley.core.evaluation.paired_test import EXACT_PAIRS, Verdict
from loreley.core.jobs import Claim, JobStore
from loreley.core.worker.repository import WorkerRepository, Worktree
from loreley.core.worktrees.removal import delete
from loreley.errors import CandidateRejected, JobFailed
from loreley.host.backoff import retry_outages
from loreley.host.deadline import Deadline
from loreley.map_elites.fitness import Infeasible
from loreley.map_elites.objective import Objective

_SHARE_OF_LIMIT = 0.5  # of the time of the job, after which no pair is begun
_HOLDOUT_RUNS = 3  # of each commit, where the metric is noisy


@dataclass(frozen=True, slots=True)
class ConfirmationOptions:
    """How finalists are confirmed."""

    share: float = (
        0.2  # of the time that all evaluations have taken, which one confirmation may take
    )
    least_seconds: float = 60.0  # that it may take in any case
    holdout: Cascade | None = None


@dataclass(frozen=True, slots=True)
class Finalists:
    """Judges the base commit of a job beside the root commit, as often as it takes."""

    claim: Claim
    jobs: JobStore
    judge: Cascade
    options: ConfirmationOptions
    deadline: Deadline

    def confirm(self, repository: WorkerRepository) -> tuple[Confirmation, Holdout | None]:
        """Whether the base commit is better than the root, and what the hold-out says of both.

        The hold-out is asked of a confirmed commit only, and of each commit once for all time.
        """
        with self._lease_both(repository) as (root, finalist):
            seconds = self._bound_seconds()
            measure = partial(self._score, self.judge, self.claim.objective)
            confirmation = confirm(
                partial(measure, root, self.claim.root_commit),
                partial(measure, finalist, self.claim.base_commit),
                Random(self.claim.seed),
                within_seconds=seconds,
            )
            logger.info("{}: {}", self.claim.base_commit[:12], confirmation.verdict)
            if self.options.holdout is None or confirmation.verdict is not Verdict.CONFIRMED:
                return confirmation, None
            runs = _HOLDOUT_RUNS if len(confirmation.scores) > EXACT_PAIRS else 1
            results = [
                self._ask_holdout(self.options.holdout, tree, commit, runs)
                for tree, commit in (
                    (root, self.claim.root_commit),
                    (finalist, self.claim.base_commit),
                )
            ]
        return confirmation, Holdout(*results)

    def _bound_seconds(self) -> float:
        """How long the pairs may take: their share, but what the job has left is for more."""
        share = self.options.share * self.jobs.evaluated_seconds()
        wanted = max(share, self.options.least_seconds)
        return min(wanted, _SHARE_OF_LIMIT * self.deadline.remaining_seconds)

    @contextmanager
    def _lease_both(self, repository: WorkerRepository) -> Iterator[tuple[Worktree, Worktree]]:
        name = self.claim.name
        with ExitStack() as stack:
            leases = [
                repository.lease(self.claim.root_commit, f"{name}-root", self.deadline),
                repository.lease(self.claim.base_commit, name, self.deadline),
            ]
            root, finalist = (
                retry_outages(partial(stack.enter_context, lease), self.deadline)
                for lease in leases
            )
            yield root, finalist

    def _score(self, judge: Cascade, objective: Objective, tree: Worktree, commit: str) -> float:
        """Judge a commit once; raises `JobFailed` where it has no score."""
        try:
            judgement = judge.judge(tree, commit, self.deadline, may_stop=False, repeats=1)
        finally:
            tree.restore(self.deadline)
            for folder in tree.scratch.iterdir():  # there may be hundreds of runs
                delete(folder)
        require_directions(judgement.evaluation, self.claim.directions)
        estimate = objective.judge(
            {metric.name: metric.value for metric in judgement.evaluation.metrics}, {}
        )
        if isinstance(estimate, Infeasible):
            raise CandidateRejected(estimate.reason, log=judgement.log)
        return estimate.score

    def _ask_holdout(
        self, holdout: Cascade, tree: Worktree, commit: str, runs: int
    ) -> HoldoutResult:
        known = self.jobs.find_holdout(commit)
        if known is not None:
            return known
        fitness = replace(self.claim.objective, constraints=())  # other data, other bounds
        try:
            scores = [self._score(holdout, fitness, tree, commit) for _ in range(runs)]
        except JobFailed as failure:
            if self.deadline.remaining_seconds <= 0:
                raise  # it was cut off: that says nothing of the commit
            return HoldoutResult(commit, failure=failure.summary)
        return HoldoutResult(commit, tuple(scores))
