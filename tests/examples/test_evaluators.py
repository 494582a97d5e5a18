"""The evaluators of the examples: what the start scores, and what no candidate gets away with."""

import math
import shutil
import sys
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tests.support import PROJECT_ROOT


def evaluator(example: str) -> ModuleType:
    """The example's evaluator, as its own module."""
    path = PROJECT_ROOT / "examples" / example / "evaluator.py"
    spec = spec_from_file_location(f"{example}_evaluator", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def judged(example: str, folder: Path, edits: Mapping[str, tuple[str, str]]) -> dict[str, float]:
    """The metrics of the example's start with an edit of each of these files."""
    worktree = folder / "worktree"
    shutil.copytree(PROJECT_ROOT / "examples" / example / "repository", worktree)
    for name, (old, new) in edits.items():
        text = (worktree / name).read_text()
        assert old in text
        (worktree / name).write_text(text.replace(old, new))
    (folder / "scratch").mkdir()
    context = SimpleNamespace(
        worktree=worktree, scratch=folder / "scratch", commit="c" * 40, timeout_seconds=30.0
    )
    answer = evaluator(example).evaluate(context)
    assert answer["summary"]
    return {metric["name"]: metric["value"] for metric in answer["metrics"]}


def test_the_packing_starts_at_the_usual_baseline(tmp_path: Path) -> None:
    found = judged("circle_packing", tmp_path, {})

    assert found["sum_radii"] == pytest.approx(0.9598, abs=1e-4)
    assert set(found) == {
        "sum_radii",
        "radius_spread",
        "mean_distance_to_centre",
        "smallest_radius",
    }


_PRINT = "print(packing())"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ("print('nothing')", "no valid JSON"),
        ("print('NaN')", "NaN is not a number"),
        ("print(packing()[:25])", "26 circles, found 25"),
        ("print(packing()[:25] + [[0.5, 0.5, 0.0]])", "circle 25 has radius 0.0"),
        ("print(str(packing()[:25])[:-1] + ', [0.5, 0.5, true]]')", "circle 25 has a value"),
        ("print(packing()[:25] + [[9e9, 0.5, 0.1]])", "circle 25 is far outside"),
        ("print(packing()[:25] + [[0.1, 0.5, 0.2]])", "circle 25 crosses the left"),
        ("print(packing()[:25] + [[0.5, 0.5, 0.3]])", "circles 0 and 25 overlap"),
        ("print('1' * 70_000)", "printed 65536 bytes"),
        ("open('left', 'w').close(); " + _PRINT, "wrote files"),
        ("raise ValueError('first\\nlast')", "exit code 1: last$"),
        ("sys.exit(3)", "exit code 1: NameError: name 'sys' is not defined.*$"),
    ],
)
def test_a_packing_is_believed_nothing(printed: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=reason) as complaint:
        judged("circle_packing", tmp_path, {"packing/__main__.py": (_PRINT, printed)})

    assert "\n" not in str(complaint.value)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("gcc") or not shutil.which("make"), reason="needs gcc, make")
@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("2, 1,\n", "2, 3,\n", "integers came back wrong"),
        ("int moved", "int moved +", "kernel.c:.* error: "),
        ("place -= gap;", "place -= 0;", "ran longer than 1 s"),
        ("int moved =", "int moved = *(volatile int *)0 +", "exit code -11"),
    ],
)
def test_a_kernel_must_sort(old: str, new: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=reason) as complaint:
        judged("sorting", tmp_path, {"kernel.c": (old, new)})

    assert "\n" not in str(complaint.value)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("gcc") or not shutil.which("make"), reason="needs gcc, make")
def test_gaps_ten_times_worse_take_more_time_whatever_the_makefile_says(tmp_path: Path) -> None:
    """So much worse that no other load of the machine makes it even."""
    gaps = "32768, 16384, 8192, 4096, 2048, 1024, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1,"
    for name in ("start", "worse"):
        (tmp_path / name).mkdir()
    start = judged("sorting", tmp_path / "start", {"Makefile": ("-O2", "-O0 -include nothing")})

    worse = judged("sorting", tmp_path / "worse", {"kernel.c": (gaps, "3000, 1,")})

    assert 1 < start["nanoseconds"] < worse["nanoseconds"]
    assert 0 <= worse["ordered_share"] < 1.5  # 0: quicker than the processor's clock ticks


def test_digits_and_operations_are_counted(tmp_path: Path) -> None:
    found = judged("sine", tmp_path, {"sine.py": ("THIRD = -0.1", f"THIRD = {-1 / 6}")})

    worst = abs(math.pi / 2 - (math.pi / 2) ** 3 / 6 - 1)
    assert found["digits"] == pytest.approx(-math.log10(worst), abs=1e-6)
    assert found["operations"] == 7  # the sign of the number is one


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("import math", "Import is no plain arithmetic"),
        ("total = abs(total)", "Call is no plain arithmetic"),
        ("while total: pass", "While is no plain arithmetic"),
        ("total = [1][0]", "no plain arithmetic"),
        ("total = 1 / 0", "ZeroDivisionError: division by zero$"),
        ("total = 1e999", "is no usable answer"),
        ("total = 1j * total", "TypeError: .*not JSON serializable"),
        ("return", "None is no usable answer"),
        ("total =", "invalid syntax"),
    ],
)
def test_a_sine_is_arithmetic(line: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises((ValueError, SyntaxError), match=reason):
        judged("sine", tmp_path, {"sine.py": ("    return total", f"    {line}\n    return total")})
