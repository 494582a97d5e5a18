"""What became of the jobs of a search, and the repositories it is counted on."""

import shutil
from types import SimpleNamespace

import pytest

from benchmarks.search.run import Evaluated, Run, load_evaluator
from benchmarks.search.yields import SUBJECTS, Yield, as_table

MOVED, SAME = Evaluated(1.0, ()), Evaluated(1.0, (), moved=False)


def test_new_judged_candidates_are_counted_beside_failed_and_repeated_ones() -> None:
    evaluations = (MOVED, MOVED, SAME, None, MOVED, None, None, SAME, MOVED)
    run = Run("bin_packer", 1, 10, 1.0, evaluations, failed_tries=1)

    found = Yield.of(run)

    assert (found.judged, found.moved, found.failed, found.repeated) == (5, 3, 3, 3)
    assert found.share == 0.5


def test_a_row_sums_up_all_seeds() -> None:
    runs = [Yield("bin_packer", 10, judged, 1, 2, 1) for judged in (4, 8)]

    assert "60% (40% to 80%)" in as_table(runs)
    assert "75% of 16" in as_table(runs)


@pytest.mark.slow
@pytest.mark.parametrize("name", SUBJECTS)
def test_each_repository_can_be_judged(name: str) -> None:
    if name == "bin_packer" and shutil.which("node") is None:
        pytest.skip("node is not on PATH")
    subject = SUBJECTS[name][1]
    evaluator = load_evaluator(subject.folder)

    answer = evaluator.evaluate(SimpleNamespace(worktree=subject.folder / "repository"))

    figures = {metric["name"]: metric["value"] for metric in answer["metrics"]}
    assert figures[subject.metric] > 0
