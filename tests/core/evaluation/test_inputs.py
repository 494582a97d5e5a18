"""Evaluators as people bring them: environments, scripts, numbers (rows 12, 13, 15, 16, 21)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loreley.core.evaluation.evaluator import Evaluator
from loreley.core.evaluation.hints import find_fix
from loreley.errors import ConfigError
from tests.core.evaluation.bench import ANSWER, Bench
from tests.support import PROJECT_ROOT

METRIC = '{"summary": "", "metrics": [{"name": "speed", "value": %s}]}'
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


@pytest.mark.slow
@pytest.mark.parametrize("how", ["link to it", "a module of it", "env with flags"])
def test_row_12_an_environment_is_found_however_it_is_called(how: str, walled: Bench) -> None:
    python = environment_at(walled.folder / ".venv")
    script = script_at(walled.folder / "judge.py", "import onlyhere")
    words = [str(python), str(script)]
    if how == "link to it":
        (walled.folder / "link").symlink_to(walled.folder / ".venv")
        words[0] = str(walled.folder / "link/bin/python")
    elif how == "a module of it":
        [packages] = (walled.folder / ".venv").glob("lib/python3*/site-packages")
        script_at(packages / "judging.py", "import onlyhere")
        words[1:] = ["-m", "judging"]
    else:
        script.write_text(f"#!/usr/bin/env -S {python} -u\n{script.read_text()}")
        script.chmod(0o755)
        words = [str(script)]

    assert walled.judge(walled.command(*words)).evaluation.summary == "fine"


@pytest.mark.slow
def test_row_12_an_environment_that_only_a_script_knows_is_granted_by_a_setting(
    walled: Bench,
) -> None:
    python = environment_at(walled.folder / ".venv")
    script = script_at(walled.folder / "run.sh", "")
    script.write_text(f"#!/bin/sh\nexec {python} -c 0\n")
    script.chmod(0o755)

    fix = walled.failure(walled.command(str(script))).problems[0].fix

    assert fix.startswith(f"add {walled.folder / '.venv'} to WORKER_EVALUATOR_READ_PATHS")


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


@pytest.mark.parametrize(
    "line",
    [
        "cannot load such file -- helper (LoadError)",
        "Can't locate Helper.pm in @INC (you may need to install it)",
        "ImportError: libfast.so: cannot open shared object file: No such file or directory",
        "judge.sh: 3: .: lib.sh: not found",
        "Error [ERR_MODULE_NOT_FOUND]: Cannot find module '/scratch/tool.mjs' imported from /x",
        "module 'script' not found:",
        "OSError: data.csv not found.",
    ],
    ids=["Ruby", "Perl", "a library", "a shell", "Node", "Lua", "other words"],
)
def test_row_13_what_other_languages_miss_is_granted_by_a_setting(line: str, bench: Bench) -> None:
    folder = bench.folder / "judging"
    script = script_at(folder / "judge.py", "")
    for name in ("helper.rb", "Helper.pm", "libfast.so", "lib.sh", "tool.mjs", "script.lua"):
        (folder / name).touch()
    (folder / "data.csv").touch()

    fix = find_fix("exit code 1", f"{line}\n", bench.command("ruby", str(script)))

    assert fix.startswith(f"add {folder} to WORKER_EVALUATOR_READ_PATHS")


def test_row_13_the_script_s_own_name_is_nothing_that_is_missing(bench: Bench) -> None:
    script = script_at(bench.folder / "judging" / "judge.py", "")

    assert find_fix("exit code 1", "judge.py: x not found", bench.command(str(script))) == ""


def test_row_13_what_exists_nowhere_has_no_such_fix(walled: Bench) -> None:
    script = script_at(walled.folder / "judge.py", "import nowhere")

    assert walled.failure(walled.command("python3", str(script))).problems[0].fix == ""


def test_row_15_the_own_name_of_the_sandbox_is_loopback(any_bench: Bench) -> None:
    judgement = any_bench.judge(any_bench.plugin(f"import socket\nprint({NAME})\nreturn {ANSWER}"))

    if any_bench.sandbox.level != "limits":  # there it is the host's name
        assert judgement.log == "127.0.0.1\n"


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can rename a host")
def test_row_15_where_nothing_renames_the_host_its_unknown_name_is_told(tmp_path: Path) -> None:
    """At the level of limits the name is the host's."""
    code = f"""
import sys
from pathlib import Path
from loreley.core.sandbox.sandbox import Level, Sandbox, probe
from loreley.errors import EvaluationFailed
from tests.core.evaluation.bench import Bench
sandbox = Sandbox(Level.LIMITS, probe().tools)
print(sandbox.describe())
bench = Bench(Path({str(tmp_path)!r}), sandbox)
try:
    bench.judge(bench.plugin("import socket\\n{NAME}"))
except EvaluationFailed as failure:
    print(failure.fix)
"""
    renamed = ["unshare", "--uts", "sh", "-c", 'hostname no-such-host; exec "$@"', "sh"]
    done = subprocess.run(
        [*renamed, sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    described, fix = done.stdout.splitlines()
    assert "the host's own name, 'no-such-host', does not resolve" in described
    assert fix.startswith("the host's own name, 'no-such-host', does not resolve: add a line")


@pytest.mark.parametrize(
    "question",
    [
        "socket.getfqdn()",
        "socket.getaddrinfo(socket.gethostname(), 80)",
        "socket.gethostbyname_ex(socket.gethostname())",
        "socket.gethostbyname('localhost')",
    ],
)
def test_row_15_every_question_for_the_own_name_has_an_answer(
    question: str, any_bench: Bench
) -> None:
    code = f"import socket\nprint({question})\nreturn {ANSWER}"

    assert any_bench.judge(any_bench.plugin(code)).log


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
        ("float('nan')", "metric 'speed' is nan, expected a finite number"),
        ("Array(float('inf'))", "metric 'speed' is inf, expected a finite number"),
        ("Array(10**400)", "metric 'speed' is too large for a float"),
        ("None", "metric 'speed' has value None, expected a number"),
        ("{'mean': 1}", "metric 'speed' has value {'mean': 1}, expected a number, not dict"),
        ("b'1'", "metric 'speed': the answer holds bytes"),
    ],
)
def test_row_16_what_is_no_number_is_told_with_its_metric_and_kind(
    value: str, said: str, bench: Bench
) -> None:
    assert said in bench.reason(bench.plugin(metric_of(value)))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("numpy.ma.masked", "metric 'speed': the answer holds numpy.ma.core.MaskedConstant"),
        ("numpy.array([2.0])", "metric 'speed': the answer holds numpy.ndarray of shape (1,)"),
        ("numpy.timedelta64(5, 's')", "metric 'speed': the answer holds numpy.timedelta64"),
        ("numpy.complex64(1)", "metric 'speed': the answer holds numpy.complex64"),
        ("numpy.bool_(True)", "metric 'speed' has value True, expected a number"),
        ("numpy.float16('nan')", "metric 'speed' is nan, expected a finite number"),
    ],
)
def test_row_16_what_numpy_has_beside_numbers_is_none(value: str, said: str, bench: Bench) -> None:
    code = f"import numpy\ndef judge(context):\n    return {METRIC % value}\n"

    assert said in bench.reason(bench.plugin(code))


@pytest.mark.parametrize(
    ("value", "number"),
    [("numpy.float32(1.5)", 1.5), ("numpy.array(2.0)", 2.0), ("numpy.int64(3)", 3.0)],
)
def test_row_16_numbers_of_numpy_are_numbers(value: str, number: float, bench: Bench) -> None:
    code = f"import numpy\ndef judge(context):\n    return {METRIC % value}\n"

    assert bench.judge(bench.plugin(code)).evaluation.metrics[0].value == number


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


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (b"\xef\xbb\xbf#!/bin/sh\necho\n", 0o755, "byte order mark"),
        (b"#!/bin/sh\necho\n", 0o644, "may not be executed: run chmod +x"),
        (None, 0, "it is a folder"),
    ],
    ids=["a byte order mark", "not executable", "a folder"],
)
def test_row_21_a_script_that_cannot_be_started_is_told_why(
    content: bytes | None, mode: int, said: str, bench: Bench
) -> None:
    script = bench.folder / "judge.sh"
    if content is None:
        script.mkdir()
    else:
        script.write_bytes(content)
        script.chmod(mode)

    with pytest.raises(ConfigError) as raised:
        Evaluator(bench.command(str(script)), bench.sandbox).check()

    assert said in raised.value.problems[0].reason
