"""The ways to search on several problems: all are run alike, and nothing is run twice."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from benchmarks.comparison import Plan
from benchmarks.problems import PROBLEMS
from benchmarks.search.plot import draw, quartiles
from benchmarks.search.proof import OURS, WAYS, Course, ProofPlan, as_table, prove, search
from benchmarks.search.run import load_evaluator

_PLAN = Plan(quick=True, report=lambda _: None)


@pytest.mark.slow
@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_judges_its_root_by_what_it_is_measured_by(name: str, tmp_path: Path) -> None:
    subject = PROBLEMS[name].subject
    context = SimpleNamespace(worktree=subject.folder / "repository", scratch=tmp_path)

    answer = load_evaluator(subject.folder).evaluate(context)

    found = {metric["name"] for metric in answer["metrics"]}
    measures = {measure.partition(":")[0] for measure in subject.measures}
    assert {subject.metric, subject.figure or subject.metric, *measures} <= found


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_every_way_has_the_same_evaluations_and_never_a_worse_best(way: str) -> None:
    course = search("controller", way, seed=1, evaluations=20)
    assert len(course.bests) == 21
    if way == OURS:
        assert course == search("controller", way, seed=1, evaluations=20)
    if way != "random":
        assert list(course.bests) == sorted(course.bests)
    assert max(course.bests) > course.bests[0]


@pytest.mark.slow
def test_runs_that_are_kept_are_not_run_again(tmp_path: Path) -> None:
    wanted = ProofPlan((1,), 5, tmp_path, ("controller",), ("archive", "numbers"))
    first = prove(_PLAN, wanted)
    kept = (tmp_path / "runs.jsonl").read_text()

    again = prove(_PLAN, replace(wanted, seeds=(1, 2)))

    assert [each for each in again if each.seed == 1] == first
    lines = (tmp_path / "runs.jsonl").read_text()
    assert lines.startswith(kept)
    assert lines.count("\n") == 4
    assert (tmp_path / "controller.svg").read_text().startswith("<svg")


def test_ways_are_compared_seed_by_seed() -> None:
    courses = [
        Course("waves", way, seed, 1, (0.0, seed + better))
        for way, better in (("tuned", 0.5), ("best", 0.0), ("root", 0.5))
        for seed in range(1, 11)
    ]

    _, _, ours, best, root = as_table(courses).splitlines()

    assert [cell.strip() for cell in ours.strip("|").split("|")][2:4] == ["6", "3.5 to 8.5"]
    assert [cell.strip() for cell in best.strip("|").split("|")][4:] == ["10, 0", "0.002 *"]
    assert [cell.strip() for cell in root.strip("|").split("|")][4:] == ["0, 0", "1"]


def test_a_drawing_has_a_line_and_a_band_for_each_way() -> None:
    courses = {"one": [(0.0, 1.0), (0.0, 3.0)], "two": [(0.0, 0.5)]}

    tags = [
        each.tag.rpartition("}")[2] for each in ElementTree.fromstring(draw("x", courses)).iter()
    ]

    assert tags.count("polyline") == tags.count("polygon") == 2


def test_quartiles_are_values_that_were_seen() -> None:
    assert quartiles([5.0, 1.0, 3.0, 2.0, 4.0]) == (2.0, 3.0, 4.0)
    assert quartiles([1.0]) == (1.0, 1.0, 1.0)
