import pytest

from benchmarks.search.comparison import as_table
from benchmarks.search.figures import GRID, figures_of, summary_of
from benchmarks.search.run import Evaluated, Run

HERE, THERE = (0.1, 10.0), (0.6, 10.0)


def run(*evaluations: Evaluated | None, seed: int = 1) -> Run:
    return Run("archive", seed, len(evaluations), 1.0, evaluations)


def test_each_cell_counts_by_its_best_only() -> None:
    figures = figures_of(
        run(Evaluated(1.0, HERE), None, Evaluated(1.5, HERE), Evaluated(0.5, THERE)), goal=2.0
    )

    assert figures.best == 1.5
    assert figures.qd_score == 2.0
    assert figures.coverage == pytest.approx(2 / GRID.cells)
    assert (figures.evaluations, figures.failed) == (4, 1)
    assert figures.evaluations_to_goal is None


def test_failed_evaluations_count_on_the_way_to_the_goal() -> None:
    figures = figures_of(run(Evaluated(1.0, HERE), None, Evaluated(2.0, THERE)), goal=2.0)

    assert figures.evaluations_to_goal == 3


def test_a_goal_that_most_runs_miss_has_no_median() -> None:
    hit, miss = run(Evaluated(2.5, HERE)), run(Evaluated(1.0, HERE))

    assert summary_of([hit, miss, miss], goal=2.0).evaluations_to_goal is None
    assert summary_of([hit, hit, miss], goal=2.0).evaluations_to_goal == 1
    assert summary_of([hit, miss, miss], goal=2.0).reached == 1


def test_the_table_has_a_row_for_each_way() -> None:
    table = as_table([run(Evaluated(2.5, HERE)), run(Evaluated(1.0, HERE), seed=2)])

    head, _, row = table.splitlines()
    assert len(row) == len(head)
    assert "1.7500 (1.0000 to 2.5000)" in row
    assert "1.7500 ± 0.7500" in row
    assert "1 of 2" in row
