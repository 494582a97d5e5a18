import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS, BRIEF, CLAIMS, JOB, OPERATORS, PROOF, SEARCH, YIELD
from benchmarks.comparison import Comparison, Plan
from benchmarks.table import as_table
from development.commands import bench as bench_task
from tests.support import PROJECT_ROOT


def test_a_table_tells_medians_and_the_range_of_ratios() -> None:
    comparison = Comparison("help", "ours", "bare", (0.3, 0.2, 0.9), (0.1, 0.2, 0.3), 1.3)

    head, rule, row = as_table([comparison]).splitlines()

    assert len(head) == len(rule) == len(row)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == ["help", "ours", "300.0 ms", "bare", "200.0 ms", "3.00 (1.00 to 3.00)", "1.3"]


def test_both_sides_are_measured_in_turn() -> None:
    done: list[str] = []
    plan = Plan(quick=False, report=lambda _: None)

    ours, floor = plan.in_turn(
        "x", [lambda: done.append("ours")] * 3, [lambda: done.append("floor")] * 3
    )

    assert done == ["ours", "floor"] * 3
    assert len(ours) == len(floor) == 3


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "invoke", "bench", *arguments],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_task_names_every_benchmark() -> None:
    names = bench_task.help["only"].partition(": ")[2]
    by_name = {SEARCH, OPERATORS, CLAIMS, YIELD, BRIEF, JOB, PROOF}
    assert set(names.replace(" or ", ", ").split(", ")) == {*BENCHMARKS, *by_name}


@pytest.mark.slow
def test_bench_prints_a_table_and_writes_json(tmp_path: Path) -> None:
    done = bench("--quick", "--only", "help", "--json", str(tmp_path / "bench.json"))

    assert done.returncode == 0, done.stderr
    rows = done.stdout.splitlines()[2:]
    assert [row.split("|")[2].strip() for row in rows] == [
        "`script/run_worker.py --help`",
        "`script/run_scheduler.py --help`",
    ]
    assert "1 of 2" in done.stderr
    written = json.loads((tmp_path / "bench.json").read_text())
    assert [each["benchmark"] for each in written["comparisons"]] == ["help", "help"]
    assert all(each["ratio"] > 0.5 for each in written["comparisons"])


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*BENCHMARKS, SEARCH, OPERATORS, CLAIMS} - {"help"}))
def test_every_benchmark_runs(name: str) -> None:
    done = bench("--quick", "--only", name)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[2].split("|")[1].strip() == name
