"""Runs the user's evaluator on a candidate and takes nothing it says on trust."""

import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loreley.core.evaluation.evaluation import (
    Artifact,
    Evaluation,
    InvalidEvaluation,
    parse_evaluation,
)
from loreley.core.evaluation.hints import find_fix
from loreley.core.evaluation.options import EvaluatorOptions as EvaluatorOptions
from loreley.core.evaluation.process import (
    RESULT,
    RESULT_BYTES,
    CompletedRun,
    EvaluationRequest,
    EvaluatorProcess,
)
from loreley.core.sandbox import child_output
from loreley.core.sandbox.sandbox import Sandbox
from loreley.core.sandbox.untrusted_files import UnusableFile, read_file
from loreley.errors import (
    EvaluationFailed,
    EvaluatorUnusable,
    HostTrouble,
    LoreleyError,
    TimeLimitReached,
)
from loreley.host import children
from loreley.host.deadline import Deadline
from loreley.host.tempdirs import temporary_folder

_ARTIFACT_BYTES = 1024 * 1024
_CHECK_SECONDS = 60.0
_REASON_LENGTH = 2000
_FILE_SIZE_FIX = "raise WORKER_EVALUATOR_FILE_SIZE_MB, or make the evaluator print and write less"
_FIXES = {
    "MemoryError": "raise WORKER_EVALUATOR_MEMORY_MB, or make the evaluator use less",
    "File too large": _FILE_SIZE_FIX,
    signal.SIGXFSZ.name: _FILE_SIZE_FIX,
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """An evaluation, the end of what the evaluator printed, and the files it wants kept."""

    evaluation: Evaluation
    log: str
    artifacts: tuple[Artifact, ...]


class Evaluator:
    """The user's judge: a plugin or a command, started afresh for every candidate."""

    def __init__(
        self,
        options: EvaluatorOptions,
        sandbox: Sandbox,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._options = options
        self._process = EvaluatorProcess(options, sandbox, environ)

    def check(self, deadline: Deadline | None = None) -> None:
        """Make sure that the evaluator can be started at all; raises `EvaluatorUnusable`."""
        if obstacle := self._process.obstacle():
            raise self._config_error(obstacle)
        limit = (deadline or Deadline()).within(_CHECK_SECONDS)
        with temporary_folder() as folder:
            task = EvaluationRequest(folder, limit)
            ended = self._process.run(task)
            if reason := self._find_failure(task, ended):
                raise self._config_error(reason)

    def evaluate(self, worktree: Path, commit: str, scratch: Path, deadline: Deadline) -> Judgement:
        """Judge ``commit``, checked out in ``worktree``; ``scratch`` is an empty folder.

        Raises `EvaluationFailed` without a valid answer and `TimeLimitReached` without one in
        time; both carry the end of what was printed. Raises `HostTrouble` where the disk was full.
        """
        limit = deadline.within(self._options.timeout_seconds)
        task = EvaluationRequest(scratch.resolve(), limit, worktree.resolve(), commit)
        ended = self._process.run(task)
        if ended.outcome.ending is children.Ending.OVERDUE:
            raise self._timeout(deadline, ended.log)
        if ended.outcome.ending is children.Ending.OVERFULL:
            raise self._overfull(ended)
        if reason := self._find_failure(task, ended):
            raise self._failure(reason, ended)
        try:
            evaluation = parse_evaluation(
                self._read_answer(task), max_metrics=self._options.max_metrics
            )
            artifacts = _read_artifacts(evaluation, task.scratch)
        except (InvalidEvaluation, UnusableFile) as error:
            raise self._failure(str(error), ended) from error
        evaluation = replace(evaluation, seconds=ended.outcome.seconds)
        return Judgement(evaluation, ended.log, artifacts)

    def _find_failure(self, task: EvaluationRequest, ended: CompletedRun) -> str:
        """Why a run that came to its end gave no answer, or nothing."""
        outcome = ended.outcome
        if self._options.plugin:
            try:
                said = self._read_result(task).get("error")
            except InvalidEvaluation as error:
                said = str(error) if outcome.succeeded else None
            if said is not None:
                return str(said)
        if outcome.succeeded:
            return ""
        return ": ".join(filter(None, [str(outcome), child_output.last_line(ended.log)[:500]]))

    def _read_answer(self, task: EvaluationRequest) -> object:
        result = self._read_result(task)
        return result.get("answer") if self._options.plugin else result

    def _read_result(self, task: EvaluationRequest) -> Mapping[str, Any]:
        """What the result file holds; raises `InvalidEvaluation` when it is not to be trusted."""
        try:
            result = json.loads(read_file(task.scratch, RESULT, limit_bytes=RESULT_BYTES))
        except UnusableFile as error:
            raise InvalidEvaluation(f"there is no usable answer: {error}") from None
        except (ValueError, RecursionError) as error:
            raise InvalidEvaluation(f"the answer is not JSON: {error}") from None
        if not isinstance(result, dict):
            raise InvalidEvaluation(f"the answer is {type(result).__name__}, expected a mapping")
        if self._options.plugin and result.get("token") != task.token:
            raise InvalidEvaluation("the answer was not written by the plugin")
        return result

    def _config_error(self, reason: str) -> EvaluatorUnusable:
        return EvaluatorUnusable(
            "the evaluator cannot be used",
            setting=f"{self._options.setting}={self._options.name}",
            reason=reason,
            fix="mend it, or the folders it needs: WORKER_EVALUATOR_PYTHON_PATHS is searched for "
            "modules, WORKER_EVALUATOR_READ_PATHS may be read",
        )

    def _failure(self, reason: str, ended: CompletedRun) -> LoreleyError:
        if ended.disk.was_full:
            said = child_output.legible(reason)[:_REASON_LENGTH]
            return HostTrouble.of_full_disk(said, str(ended.disk.full_place))
        fixes = (fix for sign, fix in _FIXES.items() if sign in reason)
        return EvaluationFailed(
            "the evaluation failed",
            target=self._options.name,
            reason=child_output.legible(reason)[:_REASON_LENGTH],
            fix=next(fixes, "") or find_fix(reason, ended.log, self._options),
            log=ended.log,
        )

    def _overfull(self, ended: CompletedRun) -> EvaluationFailed:
        return EvaluationFailed(
            "the evaluation wrote too much to the disk",
            target=self._options.name,
            reason=ended.disk.describe(),
            setting="WORKER_SANDBOX_MAX_DISK_MB",
            fix="raise it where the evaluator needs more, or make room on the worker's disk",
            log=ended.log,
        )

    def _timeout(self, job_deadline: Deadline, log: str) -> TimeLimitReached:
        if job_deadline.remaining_seconds <= 0:
            return TimeLimitReached("time limit reached while evaluating", log=log)
        return TimeLimitReached(
            "the evaluation took too long",
            target=self._options.name,
            reason=f"no answer within {self._options.timeout_seconds:g} s",
            setting="WORKER_EVALUATOR_TIMEOUT_SECONDS",
            fix="raise it, or make the evaluator faster",
            log=log,
        )


def _read_artifacts(evaluation: Evaluation, scratch: Path) -> tuple[Artifact, ...]:
    return tuple(
        Artifact(
            wanted.name,
            wanted.media_type,
            read_file(scratch, wanted.path, limit_bytes=_ARTIFACT_BYTES),
        )
        for wanted in evaluation.artifacts
    )
