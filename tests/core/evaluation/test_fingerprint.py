"""What makes two workers judge alike, and what is named where they do not."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from loreley.core.evaluation.fingerprint import EvaluatorFiles, Fingerprint, take_fingerprint
from loreley.core.evaluation.options import EvaluatorOptions

SETTINGS = {"repeats": 1, "timeout_seconds": 900.0}


def plugin(folder: Path) -> EvaluatorOptions:
    return EvaluatorOptions(plugin="judges:judge", python_paths=(folder,))


CODE = "import numpy as np\n\n\ndef judge(context): ...\n"


def write_evaluator(folder: Path, code: str = CODE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "judges.py").write_text(code)
    return folder


def take(*options: EvaluatorOptions) -> Fingerprint:
    return take_fingerprint(options, SETTINGS, EvaluatorFiles(options))


def test_two_hosts_with_the_same_evaluator_agree_wherever_it_lies(tmp_path: Path) -> None:
    here = take(plugin(write_evaluator(tmp_path / "here")))
    there = take(plugin(write_evaluator(tmp_path / "far" / "away")))

    assert here == there
    assert here.digest == there.digest
    assert here.differences(there) == []


def test_a_stale_checkout_of_the_evaluator_is_named_by_its_file(tmp_path: Path) -> None:
    here = take(plugin(write_evaluator(tmp_path / "here")))
    there = take(plugin(write_evaluator(tmp_path / "there", CODE.replace("...", "return 1"))))

    assert here.digest != there.digest
    (difference,) = here.differences(there)
    assert difference.startswith("files code 0/judges.py: ")


def test_a_module_that_only_one_host_has_is_a_difference(tmp_path: Path) -> None:
    here, there = write_evaluator(tmp_path / "here"), write_evaluator(tmp_path / "there")
    (there / "rules.py").write_text("LIMIT = 1\n")

    (difference,) = take(plugin(here)).differences(take(plugin(there)))

    assert difference.startswith("files code 0/rules.py: none here, ")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (
            {"settings": {"repeats": 3, "timeout_seconds": 900.0}},
            "settings repeats: 1 here, 3 there",
        ),
        ({"python": "CPython 3.12.1"}, "python: "),
        ({"packages": {}}, "packages numpy: "),
        ({"evaluator": "judges:other"}, "evaluator: judges:judge here, judges:other there"),
    ],
)
def test_what_differs_is_named(tmp_path: Path, changed: dict[str, object], named: str) -> None:
    here = take(plugin(write_evaluator(tmp_path)))
    there = replace(here, **changed)  # type: ignore[arg-type]

    assert here.digest != there.digest
    assert any(difference.startswith(named) for difference in here.differences(there))


def test_another_machine_is_noted_and_no_difference(tmp_path: Path) -> None:
    here = take(plugin(write_evaluator(tmp_path)))
    there = replace(here, machine="another")

    assert here.machine
    assert here.digest == there.digest
    assert here.differences(there) == []


def test_what_a_run_writes_beside_the_evaluator_changes_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    options = replace(plugin(write_evaluator(tmp_path)), hidden=(state,))
    before = take(options)
    for path in (state / "x.py", tmp_path / "logs" / "worker.log", tmp_path / ".venv" / "y.py"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("new\n")

    assert take(options) == before


def test_data_that_the_evaluator_may_read_counts(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "cases.csv").write_text("1,2\n")
    options = replace(plugin(write_evaluator(tmp_path / "code")), readable=(data,))
    before = take(options)

    (data / "cases.csv").write_text("1,3\n")

    (difference,) = before.differences(take(options))
    assert difference.startswith("files data 0/cases.csv: ")


def test_a_command_counts_with_the_files_it_names_and_without_their_folder(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "measure.sh").write_text("echo 1\n")

    here, there = (
        take(EvaluatorOptions(command=("sh", str(tmp_path / name / "measure.sh"))))
        for name in ("here", "there")
    )

    assert here == there
    assert here.evaluator == "sh measure.sh"
    assert (here.python, here.packages) == ("", {})
    (tmp_path / "there" / "measure.sh").write_text("echo 99000000\n")
    changed = take(EvaluatorOptions(command=("sh", str(tmp_path / "there" / "measure.sh"))))
    assert here.digest != changed.digest


def test_stages_are_part_of_the_evaluation(tmp_path: Path) -> None:
    folder = write_evaluator(tmp_path)
    stage = replace(plugin(folder), plugin="judges:quick")

    assert take(plugin(folder)).digest != take(stage, plugin(folder)).digest


def test_a_changed_file_is_noticed_even_when_it_seems_as_long_and_as_old(tmp_path: Path) -> None:
    code = write_evaluator(tmp_path) / "judges.py"
    files = EvaluatorFiles([plugin(tmp_path)])
    before, state = files.read(), code.stat()
    assert files.read() == before

    code.write_text(CODE.replace("...", "123"))
    os.utime(code, ns=(state.st_atime_ns, state.st_mtime_ns))

    assert code.stat().st_size == state.st_size
    assert files.read() != before


def test_a_fingerprint_survives_the_database(tmp_path: Path) -> None:
    before = take(plugin(write_evaluator(tmp_path)))

    assert Fingerprint.from_mapping(before.to_mapping()) == before


def test_a_folder_of_very_many_files_is_read_within_bounds(tmp_path: Path) -> None:
    for number in range(2_100):
        (tmp_path / f"module_{number:04}.py").write_text("")

    assert len(EvaluatorFiles([plugin(tmp_path)]).read()) == 2_000


def test_only_packages_that_the_evaluator_imports_count_with_what_they_need(tmp_path: Path) -> None:
    code = "from loguru import logger\n\n\ndef judge(context):\n    import pydantic\n"

    packages = take(plugin(write_evaluator(tmp_path, code))).packages

    assert {"loguru", "pydantic", "pydantic-core"} <= packages.keys()
    assert "pytest" not in packages
    assert "loreley" not in packages


def test_an_evaluator_of_the_standard_library_alone_depends_on_no_package(tmp_path: Path) -> None:
    assert take(plugin(write_evaluator(tmp_path, "import json\n"))).packages == {}
