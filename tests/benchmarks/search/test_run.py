"""The benchmark's own search: real, and the same in every run."""

import pytest

from benchmarks.search.run import Habits, Run, run
from loreley.core.worker.drawing_anew import DrawingAnew

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


def test_a_worker_without_further_tries_fails_a_job_with_its_first_candidate() -> None:
    single = Habits(DrawingAnew(1, by_time=False), learns_places=False)

    done = run("single", 1, 15, {}, habits=single)

    assert None in done.evaluations
    assert len(done.evaluations) <= 16
    assert done.failed_tries == 0
