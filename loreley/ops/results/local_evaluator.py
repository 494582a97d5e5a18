"""Judges commits for a person as a worker would: same sandbox, stages and fitness."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from loreley.config import Settings
from loreley.core.evaluation.assembly import assemble_cascade
from loreley.core.evaluation.evaluation import Evaluation
from loreley.core.sandbox.sandbox import require_sandbox
from loreley.core.worker.repository import RepositoryOptions, WorkerRepository
from loreley.errors import EvaluationFailed, JobInterrupted
from loreley.git.objects import ObjectStore
from loreley.host import children
from loreley.host.deadline import Deadline, Stop
from loreley.host.signals import StopSignals
from loreley.map_elites.fitness import Estimate, Infeasible
from loreley.map_elites.objective import Objective

_PREPARE_SECONDS = 3600.0


class SignalStop(Stop):
    """A stop that is asked for by SIGINT or SIGTERM."""

    def __init__(self, signals: StopSignals) -> None:
        super().__init__()
        self._signals = signals

    def check(self) -> None:
        """Raise `JobInterrupted` after a signal."""
        if self._signals.asked:
            self.ask(JobInterrupted("stopped by a signal"))
        super().check()

    def wait(self, seconds: float) -> None:
        """Sleep for ``seconds``, or until a signal."""
        self._signals.wait(seconds)
        self.check()


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured of a commit."""

    evaluation: Evaluation
    estimate: Estimate


class LocalEvaluator:
    """Judges any commit of the base clone; ``evaluations`` counts how often."""

    def __init__(
        self, settings: Settings, objective: Objective, repository: WorkerRepository, stop: Stop
    ) -> None:
        self.evaluations = 0
        self._judge = assemble_cascade(settings, require_sandbox(settings))
        self._judge.check()
        self._objective = objective
        self._repository = repository
        self._limit_seconds = settings.tasks_worker_time_limit_seconds
        self._stop = stop

    @classmethod
    @contextmanager
    def opened(
        cls, settings: Settings, objective: Objective, stop: Stop
    ) -> Iterator["LocalEvaluator"]:
        """With the worker's base clone, made or brought up to date; raises `LoreleyError`."""
        options = RepositoryOptions.from_settings(settings)
        repository = WorkerRepository(replace(options, randomize=False))
        evaluator = cls(settings, objective, repository, stop)
        with children.become_subreaper(), closing(repository):
            repository.prepare(Deadline.after(_PREPARE_SECONDS, stop))
            yield evaluator

    def store_with(self, commits: Sequence[str]) -> ObjectStore:
        """The base clone's objects, these commits among them; raises `GitError`."""
        return self._repository.objects(commits, Deadline.after(_PREPARE_SECONDS, self._stop))

    def judge(self, commit: str) -> Measurement:
        """Check out and judge ``commit`` once.

        Raises `JobFailed` when it has no fitness, and `JobInterrupted` after a signal.
        """
        self.evaluations += 1
        deadline = Deadline.after(self._limit_seconds, self._stop)
        name = f"minimise-{os.getpid()}-{self.evaluations}"
        with self._repository.lease(commit, name, deadline) as worktree:
            judged = self._judge.judge(worktree, commit, deadline, repeats=1)
        return self._measure(judged.evaluation)

    def _measure(self, evaluation: Evaluation) -> Measurement:
        values = {metric.name: metric.value for metric in evaluation.metrics}
        errors = {metric.name: metric.error for metric in evaluation.metrics}
        estimate = self._objective.judge(values, errors)
        if isinstance(estimate, Infeasible):
            raise EvaluationFailed("it has no fitness", reason=estimate.reason)
        return Measurement(evaluation, estimate)
