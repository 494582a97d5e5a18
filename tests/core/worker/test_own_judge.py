"""A worker whose evaluator changes under its hands."""

from pathlib import Path
from typing import Any

import pytest

from loreley.core.evaluation.fingerprint import EvaluatorFiles, Fingerprint, take_fingerprint
from loreley.core.evaluation.options import EvaluatorOptions
from loreley.core.jobs import JobRecord
from loreley.core.worker.own_judge import OwnJudge
from loreley.errors import EvaluationFailed, WorkerUnfit
from tests.core.agents.support import claim

NOBODY: Any = None


@pytest.fixture
def judge(tmp_path: Path) -> OwnJudge:
    """One whose evaluator is a file in the test's folder."""
    (tmp_path / "judges.py").write_text("def judge(context): ...\n")
    options = [EvaluatorOptions(plugin="judges:judge", python_paths=(tmp_path,))]
    files = EvaluatorFiles(options)

    def take() -> Fingerprint:
        return take_fingerprint(options, {}, files)

    return OwnJudge(take, "host a")


def test_a_job_is_recorded_with_its_judge_and_host(judge: OwnJudge) -> None:
    record = JobRecord()

    with judge.watch(claim(), NOBODY, record):
        pass

    assert (record.judge, record.host) == (judge.take(), "host a")


def test_a_job_does_not_count_when_the_evaluator_changes_meanwhile(
    judge: OwnJudge, tmp_path: Path
) -> None:
    with (
        pytest.raises(WorkerUnfit, match="judges otherwise"),
        judge.watch(claim(), NOBODY, JobRecord()),
    ):
        (tmp_path / "judges.py").write_text("def judge(context): return 99\n")


def test_a_failure_is_not_the_candidates_when_the_evaluator_is_gone(
    judge: OwnJudge, tmp_path: Path
) -> None:
    def lose_evaluator() -> None:
        (tmp_path / "judges.py").unlink()
        raise EvaluationFailed("the evaluation failed", reason="No module named 'judges'")

    with (
        pytest.raises(WorkerUnfit, match=r"files code 0/judges\.py: none here"),
        judge.watch(claim(), NOBODY, JobRecord()),
    ):
        lose_evaluator()


def test_a_failure_of_the_candidate_stays_one(judge: OwnJudge) -> None:
    with (
        pytest.raises(EvaluationFailed),
        judge.watch(claim(), NOBODY, JobRecord()),
    ):
        raise EvaluationFailed("the evaluation failed")
