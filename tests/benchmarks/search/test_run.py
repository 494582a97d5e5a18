"""The benchmark's own search: real, and the same in every run."""

import pytest

from benchmarks.search.run import Run, run

pytestmark = pytest.mark.slow


def trace(done: Run) -> list[object]:
    return list(done.evaluations)


def test_a_run_repeats_exactly_and_improves_on_its_root() -> None:
    first = run("archive", 1, 25, {}, evaluations=25)

    assert trace(run("archive", 1, 25, {}, evaluations=25)) == trace(first)
    root, *rest = first.evaluations
    assert root is not None
    assert root.places[1] == pytest.approx(0.448, abs=1e-3)
    assert max(each.score for each in rest if each) > root.score
    assert len(first.evaluations) == 26
