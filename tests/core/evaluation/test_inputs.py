"""Evaluators as people bring them: environments, scripts, numbers (rows 12, 13, 15, 16, 21)."""

import subprocess
import sys
from pathlib import Path

import pytest

from loreley.core.evaluation.evaluator import Evaluator
from loreley.errors import ConfigError
from tests.core.evaluation.bench import ANSWER, Bench

NAME = "socket.gethostbyname(socket.gethostname())"


def environment_at(folder: Path) -> Path:
    """A virtual environment with a package of its own; its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    [packages] = folder.glob("lib/python3*/site-packages")
    (packages / "onlyhere.py").write_text("VALUE = 3\n")
    return folder / "bin" / "python"


def script_at(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"import os\n{body}\nopen(os.environ['LORELEY_RESULT'], 'w').write('''{ANSWER}''')\n"
    )
    return path


@pytest.mark.slow
def test_row_12_the_environment_of_an_interpreter_is_readable(any_bench: Bench) -> None:
    python = environment_at(any_bench.folder / ".venv")
    script = script_at(any_bench.folder / "judge.py", "import onlyhere, sys; print(sys.prefix)")

    judgement = any_bench.judge(any_bench.command(str(python), str(script)))

    assert judgement.log == f"{any_bench.folder / '.venv'}\n"


@pytest.mark.slow
def test_row_12_a_program_of_an_environment_finds_its_packages(walled: Bench) -> None:
    python = environment_at(walled.folder / ".venv")
    program = python.with_name("judge")
    script_at(program, "import onlyhere")
    program.write_text(f"#!{python}\n{program.read_text()}")
    program.chmod(0o755)

    assert walled.judge(walled.command(str(program))).evaluation.summary == "fine"


@pytest.mark.slow
def test_row_12_a_script_whose_first_line_names_an_environment_finds_it(walled: Bench) -> None:
    python = environment_at(walled.folder / "elsewhere" / ".venv")
    script = script_at(walled.folder / "judge", "import onlyhere")
    script.write_text(f"#!{python}\n{script.read_text()}")
    script.chmod(0o755)

    assert walled.judge(walled.command(str(script))).evaluation.summary == "fine"


def test_row_13_a_module_beside_the_script_is_granted_by_a_setting(walled: Bench) -> None:
    script = script_at(walled.folder / "judging" / "judge.py", "import beside")
    (script.parent / "beside.py").write_text("")
    options = walled.command("python3", str(script))

    fix = walled.failure(options).problems[0].fix

    assert fix.startswith(f"add {script.parent} to WORKER_EVALUATOR_READ_PATHS")
    granted = walled.command("python3", str(script), readable=(script.parent,))
    assert walled.judge(granted).evaluation.summary == "fine"


@pytest.mark.parametrize("path", ["data.txt", "{folder}/data.txt", "../judging/data.txt"])
def test_row_13_a_file_beside_the_script_is_granted_by_a_setting(path: str, walled: Bench) -> None:
    folder = walled.folder / "judging"
    script = script_at(folder / "judge.py", f"open({path.format(folder=folder)!r})")
    (folder / "data.txt").write_text("1")

    fix = walled.failure(walled.command("python3", str(script))).problems[0].fix

    assert "WORKER_EVALUATOR_READ_PATHS" in fix
    assert str(folder) in fix


def test_row_13_what_exists_nowhere_has_no_such_fix(walled: Bench) -> None:
    script = script_at(walled.folder / "judge.py", "import nowhere")

    assert walled.failure(walled.command("python3", str(script))).problems[0].fix == ""


def test_row_15_the_own_name_of_the_sandbox_is_loopback(any_bench: Bench) -> None:
    judgement = any_bench.judge(any_bench.plugin(f"import socket\nprint({NAME})\nreturn {ANSWER}"))

    if any_bench.sandbox.level != "limits":  # there it is the host's name
        assert judgement.log == "127.0.0.1\n"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("Decimal('1.5')", 1.5),
        ("Array(2.5)", 2.5),
        ("Array(7)", 7.0),
        ("Fraction(1, 2)", 0.5),
    ],
)
def test_row_16_numbers_of_other_kinds_are_numbers(value: str, number: float, bench: Bench) -> None:
    judgement = bench.judge(bench.plugin(metric_of(value)))

    assert judgement.evaluation.metrics[0].value == number


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("Array(True)", "metric 'speed' has value True, expected a number: write 1.0"),
        ("True", "metric 'speed' has value True, expected a number: write 1.0"),
        ("Array(1, (3,))", "metric 'speed': the answer holds judges.Array of shape (3,)"),
        ("1j", "metric 'speed': the answer holds complex"),
        ("'fast'", "metric 'speed' has value 'fast', expected a number, not str"),
        ("{1, 2}", "metric 'speed': the answer holds set"),
    ],
)
def test_row_16_what_is_no_number_is_told_with_its_metric_and_kind(
    value: str, said: str, bench: Bench
) -> None:
    assert said in bench.reason(bench.plugin(metric_of(value)))


def metric_of(value: str) -> str:
    return f"""
from decimal import Decimal
from fractions import Fraction

class Array:  # as numpy and torch have them
    def __init__(self, value, shape=()):
        self.value, self.shape = value, shape

    def item(self):
        return self.value

def judge(context):
    return {{"summary": "", "metrics": [{{"name": "speed", "value": {value}}}]}}
"""


@pytest.mark.parametrize("first", ["#!/bin/sh\r", "#!/usr/bin/env python3\r", "#!/no/such/shell"])
def test_row_21_a_script_whose_interpreter_is_missing_is_told_with_it(
    first: str, bench: Bench
) -> None:
    script = bench.folder / "judge.sh"
    script.write_bytes(f"{first}\necho\r\n".encode())
    script.chmod(0o755)

    with pytest.raises(ConfigError) as raised:
        Evaluator(bench.command(str(script)), bench.sandbox).check()

    reason = raised.value.problems[0].reason
    assert repr(first.split("/", 1)[1].rsplit("env ", 1)[-1])[1:-1] in reason
    assert ("Windows line ends" in reason) is first.endswith("\r")
