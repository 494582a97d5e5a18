"""Cheap stages first, and the full evaluation as often as asked."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from loreley.config import Settings
from loreley.core.evaluation.assembly import assemble_cascade
from loreley.core.evaluation.cascade import Cascade, leaves_noise_open
from loreley.core.evaluation.evaluation import Evaluation, Metric
from loreley.core.sandbox.sandbox import probe
from loreley.errors import CandidateRejected, ConfigError, EvaluationFailed
from loreley.host.deadline import Deadline

COMMIT = "a" * 40
PLUGIN = """
from pathlib import Path


def _count(context, name):
    file = context.worktree / name
    calls = int(file.read_text()) + 1 if file.exists() else 1
    file.write_text(str(calls))
    return calls


def quick(context):
    _count(context, "quick")
    return {"metrics": [{"name": "looks", "value": 0.5}, {"name": "score", "value": 0.0}]}


def full(context):
    calls = _count(context, "full")
    print(f"call {calls}")
    return {"summary": f"call {calls}", "metrics": [{"name": "score", "value": calls**2}]}


def broken(context):
    raise RuntimeError("out of order")
"""


@dataclass
class Folders:
    """A checkout of which nothing is committed; kept as it is, the runs can count one another."""

    path: Path
    scratch: Path
    is_kept: bool = True

    def restore(self, deadline: Deadline) -> None:
        deadline.check("restoring")
        if not self.is_kept:
            shutil.rmtree(self.path)
            self.path.mkdir()

    def calls(self, name: str) -> int:
        file = self.path / name
        return int(file.read_text()) if file.exists() else 0


@pytest.fixture
def tree(tmp_path: Path) -> Folders:
    folders = Folders(tmp_path / "worktree", tmp_path / "scratch")
    folders.path.mkdir()
    folders.scratch.mkdir()
    return folders


def cascade(
    tmp_path: Path, *stages: str, repeats: int | None = None, plugin: str = "judge:full"
) -> Cascade:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "judge.py").write_text(PLUGIN)
    settings = Settings(
        worker_evaluator_plugin=plugin,
        worker_evaluator_python_paths=[str(plugins)],
        worker_evaluator_stages=list(stages),
        worker_evaluator_repeats=repeats,
    )
    return assemble_cascade(settings, probe())


def test_a_candidate_below_a_threshold_is_rejected_before_the_full_evaluation(
    tmp_path: Path, tree: Folders
) -> None:
    judge = cascade(tmp_path, "judge:quick | looks >= 0.9")

    with pytest.raises(CandidateRejected, match=r"looks >= 0\.9 does not hold: it is 0\.5"):
        judge.judge(tree, COMMIT, Deadline.after(60))

    assert (tree.calls("quick"), tree.calls("full")) == (1, 0)


def test_a_commit_that_has_passed_before_is_stopped_by_no_threshold(
    tmp_path: Path, tree: Folders
) -> None:
    judge = cascade(tmp_path, "judge:quick | looks >= 0.9")

    judgement = judge.judge(tree, COMMIT, Deadline.after(60), may_stop=False)

    assert judgement.evaluation.value("looks") == 0.5
    assert (tree.calls("quick"), tree.calls("full")) == (1, 1)


def test_what_passes_every_stage_is_judged_in_full_and_keeps_early_figures(
    tmp_path: Path, tree: Folders
) -> None:
    judge = cascade(tmp_path, "judge:quick | looks >= 0.5", "judge:quick | score <= 0")

    judgement = judge.judge(tree, COMMIT, Deadline.after(60))

    assert (tree.calls("quick"), tree.calls("full")) == (2, 1)
    figures = {metric.name: metric.value for metric in judgement.evaluation.metrics}
    assert figures == {"score": 1.0, "looks": 0.5}  # the full evaluation's own score


def test_repeats_give_the_median_and_its_error(tmp_path: Path, tree: Folders) -> None:
    judgement = cascade(tmp_path, repeats=3).judge(tree, COMMIT, Deadline.after(60))

    [score] = judgement.evaluation.metrics
    assert score.samples == (1.0, 4.0, 9.0)
    assert score.value == 4.0
    assert score.error == pytest.approx(1.2533 * 4.0415 / 3**0.5, rel=1e-3)
    assert judgement.evaluation.summary == "call 3"
    assert "call 3" in judgement.log


def test_the_root_is_measured_until_its_noise_is_known_and_a_candidate_once(
    tmp_path: Path, tree: Folders
) -> None:
    judge = cascade(tmp_path)  # each call gives another score
    judgement = judge.judge(tree, COMMIT, Deadline.after(60), is_root=True)
    assert judgement.evaluation.metrics[0].samples == (1.0, 4.0, 9.0, 16.0, 25.0)

    shutil.rmtree(tree.scratch)
    tree.scratch.mkdir()
    judgement = judge.judge(tree, COMMIT, Deadline.after(60))
    assert judgement.evaluation.metrics[0].samples == ()


def test_so_many_repeats_as_were_asked_for_are_made_of_the_root_too(
    tmp_path: Path, tree: Folders
) -> None:
    judge = cascade(tmp_path, repeats=1)

    judge.judge(tree, COMMIT, Deadline.after(60), is_root=True)

    assert tree.calls("full") == 1


@pytest.mark.parametrize(
    ("values", "seconds", "left_seconds", "is_open"),
    [
        ([1.0], 500.0, 5000.0, True),  # once tells nothing, however long it takes
        ([1.0], 500.0, 900.0, False),  # but there must be time for it
        ([1.0, 1.0], 1.0, 900.0, True),
        ([1.0, 1.0, 1.0], 1.0, 900.0, False),  # it is exact
        ([1.0, 1.1, 1.0], 1.0, 900.0, True),
        ([1.0, 1.1], 20.0, 900.0, True),
        ([1.0, 1.1], 20.1, 900.0, False),  # it would take more than a minute
        ([1.0, 1.1, 1.2, 1.3, 1.4], 0.1, 900.0, False),
    ],
)
def test_the_noise_of_the_root_may_cost_a_minute(
    values: list[float], seconds: float, left_seconds: float, is_open: bool
) -> None:
    runs = [Evaluation("", (Metric("score", each),), (), seconds) for each in values]
    deadline = Deadline(left_seconds, clock=lambda: 0.0)

    assert leaves_noise_open(runs, deadline) is is_open


def test_no_run_finds_what_another_one_has_left(tmp_path: Path, tree: Folders) -> None:
    """A candidate could keep its results, and be quick the second time."""
    judge = cascade(tmp_path, "judge:full | score <= 1", repeats=3)
    tree.is_kept = False

    judgement = judge.judge(tree, COMMIT, Deadline.after(60))

    [score] = judgement.evaluation.metrics
    assert score.samples == (1.0, 1.0, 1.0)


def test_a_stage_that_fails_fails_the_evaluation(tmp_path: Path, tree: Folders) -> None:
    judge = cascade(tmp_path, "judge:broken | looks >= 0")

    with pytest.raises(EvaluationFailed, match="out of order"):
        judge.judge(tree, COMMIT, Deadline.after(60))


def test_a_stage_may_be_a_command(tmp_path: Path, tree: Folders) -> None:
    command = (
        """sh -c 'echo "{\\"metrics\\": [{\\"name\\": \\"size\\", \\"value\\": 7}]}" > {result}'"""
    )
    judge = cascade(tmp_path, f"{command} | size <= 6")

    with pytest.raises(CandidateRejected, match="size <= 6 does not hold: it is 7"):
        judge.judge(tree, COMMIT, Deadline.after(60))


def test_every_stage_is_checked_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        cascade(tmp_path, "nowhere:quick | looks >= 0").check()
