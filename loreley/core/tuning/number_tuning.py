"""A job that tunes the numbers of its base commit: many tries, one proposal."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from loguru import logger

from loreley.config.tuning import TunedName
from loreley.core.agents.edit_rules import PathRules, Region
from loreley.core.agents.genetic.source.files import may_change, read_source, write_content
from loreley.core.agents.genetic.source.literals import Number
from loreley.core.agents.protocol import Proposal
from loreley.core.evaluation.cascade import CandidateTree
from loreley.core.evaluation.evaluation import Metric
from loreley.core.evaluation.evaluator import Judgement
from loreley.core.evaluation.noise import describe_noise
from loreley.core.jobs import Claim, JobRecord, JobStore
from loreley.core.tuning.parameters import Parameters, ParameterSearch
from loreley.core.tuning.trial_checkout import TrialCheckout
from loreley.core.tuning.tuner import TuneBudget, Tuned, TuneEnded, Tuner
from loreley.errors import AgentFailed, CandidateRejected, JobFailed
from loreley.host.deadline import Deadline
from loreley.host.failpoints import Failpoint, hit
from loreley.map_elites.fitness import Estimate

TUNER = "tuner"  # in the place of an agent
OPERATOR = "tune-numbers"
_KEPT_SECONDS = 5.0  # between two notes of the best so far
_SHARE_OF_LIMIT = 0.8  # of what is left of the job's time: its commit is judged and pushed in it
_ROOT_SHARE = 1 / 3  # of the seconds, for the root at the beginning of a run
_TIMES_FOR_ALL = 4  # where all numbers are moved together, which pays late
_TRIES_WITHOUT_CLOCK = 200
_SHOWN_REMARKS = 20


class TunedTree(CandidateTree, Protocol):
    """A checkout whose files are known, such as a `Worktree`."""

    def tracked_files(self) -> Sequence[str]:
        """Paths of all regular files in the base commit, relative to `path`."""
        ...


@dataclass(frozen=True, slots=True)
class TuneOptions:
    """What holds for every such job of a worker."""

    seconds: float = 60.0
    tries: int = 0  # 0: no limit
    is_timed: bool = True  # else only the tries count, as runs must repeat exactly
    named: tuple[TunedName, ...] = ()
    excludes: tuple[str, ...] = ()  # of the worktree, that stay between jobs


@dataclass(slots=True)
class NumberTuning:
    """Tries values in the worktree of a job, and leaves the best of them there."""

    claim: Claim
    jobs: JobStore
    judge: Callable[[CandidateTree, str, Deadline], Judgement]  # measures once
    options: TuneOptions
    paths: PathRules
    region: Region | None
    deadline: Deadline
    record: JobRecord
    root_metrics: Sequence[Metric] = ()
    _failure: JobFailed | None = None
    _log: list[str] = field(default_factory=list)

    def propose(self, worktree: TunedTree) -> Proposal:
        """Tune; raises `CandidateRejected` where no values are better than the commit's own.

        The worktree is a clean checkout with the best values then.
        """
        self.record.agent, self.record.operator = TUNER, OPERATOR
        parameters = self._find_parameters(worktree)
        tuner = self._assemble_tuner(parameters, TrialCheckout(worktree, self.options.excludes))
        try:
            tuned = tuner.tune()
        finally:
            self._keep_trace(tuner)
            worktree.restore(self.deadline)
        self._describe(parameters, tuned)
        self._require_gain(tuned)
        for path, content in parameters.write(tuned.values).items():
            write_content(worktree.path, path, content)
        return self._make_proposal(parameters, tuned)

    def _find_parameters(self, worktree: TunedTree) -> Parameters:
        named = [each.path for each in self.options.named]
        paths = [
            path
            for path in worktree.tracked_files()
            if self.paths.allow(path) and (path in named if named else may_change(path))
        ]
        files = [file for path in paths if (file := read_source(worktree.path, path))]
        found = ParameterSearch(self.options.named, self.region).search(files)
        for remark in found.remarks[:_SHOWN_REMARKS]:
            logger.warning("not tuned: {}", remark)
        if not found.all:
            raise AgentFailed(
                "there is no number to tune",
                reason="; ".join(found.remarks[:_SHOWN_REMARKS]) or f"in {len(files)} files",
                fix="see WORKER_TUNE_PARAMETERS and WORKER_GATE_EDITABLE_PATHS, or set "
                "WORKER_TUNE_SECONDS=0",
            )
        return self._with_known_steps(found)

    def _with_known_steps(self, found: Parameters) -> Parameters:
        """The parameters with the steps at which tuning of the base commit has ended."""
        steps = self._progress.get("steps") or []
        shifts = self._progress.get("shifts") or [0.0] * len(steps)
        if len(steps) != len(found.all):
            return found
        known = tuple(
            replace(each, known_step=step, known_shift=shift)
            for each, step, shift in zip(found.all, steps, shifts, strict=True)
        )
        return replace(found, all=known)

    @property
    def _progress(self) -> Mapping[str, Any]:
        return self.claim.progress or {}

    def _assemble_tuner(self, parameters: Parameters, checkout: TrialCheckout) -> Tuner:
        self.record.tries = self._progress.get("tries", 0)
        self.record.tried_seconds = self._progress.get("seconds", 0.0)
        values = self._progress.get("values")
        are_known = any(each.known_step is not None for each in parameters.all)
        climbs_left = self._progress.get("climbs_left") if are_known else None
        seconds = self.options.seconds
        if self.claim.ordinal < 0:  # the root's: the run has just begun
            seconds *= _ROOT_SHARE
        elif climbs_left == 0:
            seconds *= _TIMES_FOR_ALL
        left = seconds - self.record.tried_seconds
        if not self.options.is_timed:
            left = math.inf
        tries = self._count_tries_left()
        seconds = min(left, _SHARE_OF_LIMIT * self.deadline.remaining_seconds)
        noise = describe_noise(self.claim.objective, self.root_metrics)
        tuner: Tuner
        noted_at = self._now()

        def evaluate(asked: Sequence[Number]) -> float | None:
            nonlocal noted_at
            began = self._now()
            try:
                score = self._try(checkout, parameters.write(asked))
            finally:
                self.record.tries += 1
                self.record.tried_seconds += self._now() - began
            hit(Failpoint.TRIED_VALUES)
            if self._now() >= noted_at + _KEPT_SECONDS and tuner.trace.tries:
                noted_at = self._now()
                self.jobs.keep_progress(self.claim, self._note(tuner), self.record)
            return score

        tuner = Tuner(
            parameters.all,
            evaluate,
            TuneBudget(seconds, tries),
            self.claim.seed,
            is_noisy=bool(noise.spread),
            begin_with=tuple(values) if values and len(values) == len(parameters.all) else None,
            climbs_left=climbs_left,
        )
        return tuner

    def _count_tries_left(self) -> int:
        """How many tries are left of the limit; 0: there is none."""
        most = self.options.tries or (0 if self.options.is_timed else _TRIES_WITHOUT_CLOCK)
        return max(1, most - self.record.tries) if most else 0

    def _now(self) -> float:
        return self.deadline.clock()

    def _note(self, tuner: Tuner) -> dict[str, Any]:
        """What a later attempt, or a job that tunes this one's commit, goes on from."""
        return {
            "values": list(tuner.best[0]),
            "steps": list(tuner.steps),
            "shifts": list(tuner.shifts),
            "climbs_left": tuner.climbs_left,
            "tries": self.record.tries,
            "seconds": self.record.tried_seconds,
        }

    def _try(self, checkout: TrialCheckout, contents: Mapping[str, bytes]) -> float | None:
        """The score of some contents; None where they have none. Raises `TuneEnded`."""
        self.deadline.stop.check()
        checkout.write(contents)
        try:
            judgement = self.judge(checkout, self.claim.base_commit, self.deadline)
        except JobFailed as failure:
            if self.deadline.remaining_seconds <= 0:
                raise TuneEnded from failure
            self._failure = failure
            return None
        finally:
            checkout.clean(self.deadline)
        values = {metric.name: metric.value for metric in judgement.evaluation.metrics}
        estimate = self.claim.objective.judge(values, {})
        return estimate.score if isinstance(estimate, Estimate) else None

    def _require_gain(self, tuned: Tuned) -> None:
        if tuned.start_score is None and self._failure is not None:
            raise self._failure  # the commit as it is cannot be judged
        if not tuned.is_better:
            raise CandidateRejected(
                "no other numbers were better", reason=f"{self.record.tries} were tried"
            )

    def _describe(self, parameters: Parameters, tuned: Tuned) -> None:
        total, screened = len(parameters.all), tuned.screened
        logger.info(
            "tuned {} of {} numbers in {} tries: {} move nothing, {} break the program",
            *(len(screened.kept), total, self.record.tries),
            *(len(screened.idle), len(screened.breaking)),
        )

    def _keep_trace(self, tuner: Tuner) -> None:
        if tuner.trace.tries:
            fitness = self.claim.objective.fitness
            self.record.artifacts.append(tuner.trace.make_artifact(fitness))
            if any(each.score is not None for each in tuner.trace.tries):
                self.record.progress = self._note(tuner)

    def _make_proposal(self, parameters: Parameters, tuned: Tuned) -> Proposal:
        changed = [
            each
            for each, value in zip(parameters.all, tuned.values, strict=True)
            if value != each.literal.value
        ]
        files = sorted({each.path for each in changed})
        numbers = "1 number" if len(changed) == 1 else f"{len(changed)} numbers"
        shown = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
        fitness = self.claim.objective.fitness
        assert tuned.score is not None
        assert tuned.start_score is not None
        return Proposal(
            f"tune {numbers} in {shown}",
            f"Operator: {OPERATOR}\n{self.record.tries} tries led from "
            f"{fitness(tuned.start_score):.6g} to {fitness(tuned.score):.6g}.",
            OPERATOR,
        )
