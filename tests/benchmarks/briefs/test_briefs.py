"""The benchmark of briefs, on packages that stand here instead of PyPI's."""

from dataclasses import replace
from pathlib import Path

from benchmarks.briefs.cases import read_cases
from benchmarks.briefs.comparison import as_table, look_at
from benchmarks.briefs.packages import PlainFolder


def test_there_are_30_fixes_of_three_packages_and_no_goal_names_its_file() -> None:
    cases = read_cases()

    assert len(cases) == 30
    assert {each.package for each in cases} == {"click", "werkzeug", "pytest"}
    assert not [each for each in cases if Path(each.file).name in each.goal]
    assert all(each.lines for each in cases)


def test_each_way_is_asked_whether_it_shows_the_file_and_the_lines(tmp_path: Path) -> None:
    long = "".join(f"def step_{n}(x):\n" + "    x += 1\n" * 40 for n in range(100))
    (tmp_path / "long.py").write_text(long)
    (tmp_path / "short.py").write_text("x = 1\n")
    case = replace(
        read_cases()[0], goal="Make step_70 right.", file="long.py", lines=(range(2875, 2876),)
    )

    small, chosen = look_at(case, PlainFolder(tmp_path))

    assert (small.way, small.shows_file, small.shows_lines) == ("the smallest files", False, False)
    assert (chosen.way, chosen.shows_file, chosen.shows_lines) == ("what matters", True, True)
    rows = as_table([small, chosen]).splitlines()[2:]
    assert [row.split("|")[5].strip() for row in rows] == ["0 (0%)", "1 (100%)"] * 2
