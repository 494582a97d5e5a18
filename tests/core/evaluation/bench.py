"""Where evaluators of every kind judge a candidate, as real processes."""

import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from loreley.core.evaluation.evaluator import Evaluator, EvaluatorOptions, Judgement
from loreley.core.sandbox.sandbox import Level, Sandbox, obstacle_to, probe
from loreley.errors import EvaluationFailed, FailureKind
from loreley.host.deadline import Deadline

COMMIT = "c0ffee" + "0" * 34
MEBIBYTE = 1024 * 1024
ANSWER = '{"summary": "fine", "metrics": [{"name": "score", "value": 1.0}]}'


class Bench:
    """A worktree, a scratch folder and a place for evaluators."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.worktree = self._new("worktree")
        self.scratch = self._new("scratch")
        self.plugins = self._new("plugins")
        (self.worktree / ".git").write_text("gitdir: /elsewhere")
        (self.worktree / "candidate.py").write_text("VALUE = 3\n")

    def _new(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir()
        return path

    def plugin(self, code: str, **options: object) -> EvaluatorOptions:
        """A plugin whose function ``judge`` has the given body, or a module with it."""
        code = textwrap.dedent(code).strip()
        if "def judge" not in code:
            code = f"def judge(context):\n{textwrap.indent(code, '    ')}"
        (self.plugins / "judges.py").write_text(code)
        base = EvaluatorOptions(
            plugin="judges:judge", python_paths=(self.plugins,), timeout_seconds=30
        )
        return replace(base, **options)  # type: ignore[arg-type]

    def command(self, *words: str, **options: object) -> EvaluatorOptions:
        base = EvaluatorOptions(command=words, timeout_seconds=30)
        return replace(base, **options)  # type: ignore[arg-type]

    def shell(self, script: str) -> EvaluatorOptions:
        return self.command("sh", "-c", script)

    def judge(self, options: EvaluatorOptions, deadline: Deadline | None = None) -> Judgement:
        evaluator = Evaluator(options, self.sandbox)
        return evaluator.evaluate(self.worktree, COMMIT, self.scratch, deadline or Deadline())

    def failure(self, options: EvaluatorOptions) -> EvaluationFailed:
        with pytest.raises(EvaluationFailed) as caught:
            self.judge(options)
        assert caught.value.kind is FailureKind.EVALUATION
        return caught.value

    def reason(self, options: EvaluatorOptions) -> str:
        return self.failure(options).problems[0].reason


def sandbox_at(level: Level) -> Sandbox:
    sandbox = Sandbox(level, probe().tools)
    if obstacle := obstacle_to(sandbox):
        pytest.skip(str(obstacle))
    return sandbox
