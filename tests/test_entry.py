import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from loreley.entry import ExitCode
from tests.support import PROJECT_ROOT, eventually

SECRET = "hunter2"


def python(code: str, *options: str) -> list[str]:
    head = f"import sys; sys.path.insert(0, {str(PROJECT_ROOT)!r})\n"
    head += "from loreley.entry import ExitCode, run_guarded, script_parser\n"
    return [sys.executable, *options, "-c", head + code]


def run(code: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        python(code, *options), capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("code", list(ExitCode))
def test_the_exit_code_is_what_the_work_returns(code: ExitCode) -> None:
    done = run(f"sys.exit(run_guarded('worker', lambda signals: ExitCode.{code.name}))")

    assert (done.returncode, done.stdout, done.stderr) == (int(code), "", "")


def test_an_error_of_ours_is_a_block_and_exit_code_1() -> None:
    done = run(
        "def work(signals):\n"
        "    from loreley.errors import ConfigError\n"
        "    raise ConfigError('not set', setting='X', fix='set it')\n"
        "sys.exit(run_guarded('worker', work))"
    )

    assert done.returncode == ExitCode.FAILED
    assert done.stderr == "error: not set\n  setting: X\n  fix:     set it\n"
    assert done.stdout == ""


def test_an_unforeseen_error_is_a_short_message_and_exit_code_1() -> None:
    done = run(
        "def work(signals): raise ZeroDivisionError('at redis://:hunter2@host')\n"
        "sys.exit(run_guarded('worker', work))"
    )

    assert done.returncode == ExitCode.FAILED
    assert done.stderr.startswith("error: unexpected failure\n  reason:  ZeroDivisionError: at")
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stderr


def test_a_package_that_is_missing_is_named_with_the_way_to_install_it() -> None:
    # Isolated and without site-packages, as on a machine where nothing was installed.
    done = run("sys.exit(run_guarded('worker', lambda signals: __import__('loguru')))", "-I", "-S")

    assert done.returncode == ExitCode.FAILED
    assert done.stderr.startswith("error: loguru is not installed for this Python\n")
    assert "uv run" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_usage_keeps_its_own_exit_code() -> None:
    done = run("script_parser('x.py', 'Do x.').parse_args(['--no-such-flag'])")

    assert done.returncode == 2
    assert "usage: x.py" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_moment_is_a_friendly_end(number: signal.Signals, tmp_path: Path) -> None:
    """Also before the work has installed its own handlers, and while it imports."""
    ready = tmp_path / "ready"
    code = (
        "def work(signals):\n"
        "    import time\n"
        f"    open({str(ready)!r}, 'w').close()\n"
        "    time.sleep(600)\n"
        "sys.exit(run_guarded('worker', work))"
    )
    with subprocess.Popen(
        python(code), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        eventually(ready.exists)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out, err) == (ExitCode.STOPPED, "", "worker: stopped\n")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "step", ["time.sleep(0.01)", "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)"]
)
def test_a_signal_is_not_lost_in_a_start_that_swallows_exceptions(
    number: signal.Signals, step: str, tmp_path: Path
) -> None:
    """As imports and callbacks do (row 30); the second step runs no handler until it has ended."""
    ready = tmp_path / "ready"
    code = (
        "def work(signals):\n"
        "    import hashlib, time\n"
        f"    open({str(ready)!r}, 'w').close()\n"
        "    while True:\n"
        "        try:\n"
        f"            {step}\n"
        "        except BaseException: pass\n"
        "sys.exit(run_guarded('worker', work))"
    )
    with subprocess.Popen(python(code), stderr=subprocess.PIPE, text=True) as process:
        eventually(ready.exists)
        process.send_signal(number)
        try:
            _, err = process.communicate(timeout=15)
        finally:
            process.kill()

    assert (process.returncode, err) == (ExitCode.STOPPED, "worker: stopped\n")


def test_a_signal_is_looked_at_before_the_work_goes_online() -> None:
    done = run(
        "import os, signal\n"
        "def work(signals):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print('starting')\n"
        "    signals.take_over()\n"
        "    print('online')\n"
        "sys.exit(run_guarded('worker', work))"
    )

    assert (done.returncode, done.stdout) == (ExitCode.STOPPED, "starting\n")
    assert done.stderr == "worker: stopped\n"


def test_a_failure_is_reported_when_stderr_is_closed() -> None:
    code = (
        "def work(signals): raise ZeroDivisionError('x')\nimport os; os.close(2)\n"
        "sys.exit(run_guarded('worker', work))"
    )

    assert run(code).returncode != 0


def test_a_script_without_stderr_works_as_any_other(tmp_path: Path) -> None:
    code = (
        "def work(signals):\n"
        "    from loreley.logs import configure_logging, print_and_log\n"
        f"    configure_logging('worker', level='INFO', base_dir={str(tmp_path)!r})\n"
        "    print_and_log('here')\n"
        "    return ExitCode.STOPPED\n"
        "sys.exit(run_guarded('worker', work))"
    )
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", *python(code)], capture_output=True, text=True
    )

    assert (done.returncode, done.stdout) == (ExitCode.STOPPED, "")
    [log] = (tmp_path / "logs" / "worker").iterdir()
    assert " here\n" in log.read_text()


def test_a_current_folder_that_is_gone_is_reported(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        f"def work(signals):\n"
        f"    import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r})\n"
        "    from loreley.logs import configure_logging\n"
        f"    configure_logging('worker', level='INFO', base_dir={str(tmp_path)!r})\n"
        "sys.exit(run_guarded('worker', work))"
    )
    done = run(code)

    assert done.returncode == ExitCode.FAILED
    assert done.stderr.startswith("error: the current folder cannot be used\n")


def test_the_arguments_cost_no_more_imports_than_argparse() -> None:
    shown = "print(sorted(name for name in sys.modules if '.' not in name))"
    plain = subprocess.run(
        [sys.executable, "-c", f"import sys, argparse; argparse.ArgumentParser(); {shown}"],
        capture_output=True,
        text=True,
        check=True,
    )

    ours = run(f"script_parser('x.py', 'Do x.').format_help()\n{shown}")

    extra = set(eval(ours.stdout)) - set(eval(plain.stdout))
    assert extra == {"loreley"}


def test_the_help_names_every_exit_code() -> None:
    done = run("script_parser('x.py', 'Do x.').parse_args(['--help'])")

    assert done.returncode == 0
    for code in ExitCode:
        assert f"{code:d} " in done.stdout


def test_help_fits_a_terminal() -> None:
    done = run("script_parser('x.py', 'Do x.').print_help()")

    assert max(map(len, done.stdout.splitlines())) <= 88


def test_the_scripts_work_from_any_folder(tmp_path: Path) -> None:
    for script in ("run_worker.py", "run_scheduler.py"):
        done = subprocess.run(
            [sys.executable, "-I", str(PROJECT_ROOT / "script" / script), "--help"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert f"usage: {script}" in done.stdout


@pytest.mark.slow
def test_a_clean_up_that_hangs_is_ended_with_the_code_that_was_said() -> None:
    """Row 38: as one does that waits for a server's answer."""
    done = run(
        "import os, contextlib\n"
        "@contextlib.contextmanager\n"
        "def server():\n"
        "    yield\n"
        "    os.read(os.pipe()[0], 1)\n"
        "def work(signals):\n"
        "    with server():\n"
        "        signals.end_within(0.2, lambda: os._exit(0))\n"
        "        return 0\n"
        "sys.exit(run_guarded('scheduler', work))"
    )

    assert (done.returncode, done.stderr) == (ExitCode.STOPPED, "")
