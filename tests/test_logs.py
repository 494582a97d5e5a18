import fcntl
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from loguru import logger

from loreley.errors import ConfigError
from loreley.logs import configure_logging, print_and_log, tail_of
from tests.log_sinks import SECRET, own_sinks, start
from tests.support import PROJECT_ROOT

DAY = 86400.0

__all__ = ["own_sinks"]


def refusal(base_dir: str, level: str = "INFO") -> ConfigError:
    with pytest.raises(ConfigError) as raised:
        configure_logging("worker", level=level, base_dir=base_dir)
    return raised.value


def old(path: Path, *, days: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("old\n")
    then = time.time() - days * DAY
    os.utime(path, (then, then))
    return path


def test_the_file_is_named_by_role_and_second(tmp_path: Path) -> None:
    before = datetime.now().replace(microsecond=0)  # noqa: DTZ005 - local, as the name is

    path = start(tmp_path)

    assert path.parent == tmp_path / "logs" / "worker"
    stamp = re.fullmatch(r"worker-(\d{8}-\d{6})\.log", path.name)
    assert stamp
    named = datetime.strptime(stamp[1], "%Y%m%d-%H%M%S")  # noqa: DTZ007
    assert before <= named <= before + timedelta(seconds=30)


def test_without_a_base_folder_it_is_the_current_directory() -> None:
    path = configure_logging("scheduler", level="INFO", base_dir=None)

    assert path.parent == Path.cwd() / "logs" / "scheduler"


def test_home_and_variables_are_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SUB", "sub")

    assert start(Path("~/$SUB")).parent == tmp_path / "sub" / "logs" / "worker"


def test_an_event_is_one_line_in_the_file_and_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = start(tmp_path)

    logger.info("hello {}", "<red>[/x]{y}</red>")

    [in_file] = path.read_text().splitlines()
    assert re.fullmatch(
        rf"[-\d]+ [\d:.]+ \| INFO     \| {os.getpid()}/MainThread job=- \| "
        r"tests.test_logs:\w+:\d+ - hello <red>\[/x\]\{y\}</red>",
        in_file,
    ), in_file
    [on_stderr] = capsys.readouterr().err.splitlines()
    assert on_stderr.endswith("| INFO     | hello <red>[/x]{y}</red>")


def test_each_line_of_a_log_names_the_job(tmp_path: Path) -> None:
    path = start(tmp_path)

    with logger.contextualize(job="12345678"):
        logger.info("inside")
    logger.info("outside")

    inside, outside = path.read_text().splitlines()
    assert "job=12345678 |" in inside
    assert "job=- |" in outside


@pytest.mark.parametrize("level", ["WARNING", " warning "])
def test_the_level_is_the_threshold_of_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], level: str
) -> None:
    path = start(tmp_path, level)

    logger.info("quiet")
    logger.warning("loud")

    assert ["loud" in line for line in path.read_text().splitlines()] == [True]
    assert ["loud" in line for line in capsys.readouterr().err.splitlines()] == [True]


@pytest.mark.parametrize("level", ["[/x]", "verbose", "", "10", "INFO\nDEBUG"])
def test_an_unknown_level_is_refused(tmp_path: Path, level: str) -> None:
    error = refusal(str(tmp_path), level)

    [problem] = error.problems
    assert problem.setting == "--log-level, LOG_LEVEL"
    assert problem.target == repr(level)
    assert "TRACE, DEBUG, INFO" in problem.fix


def test_line_breaks_and_terminal_sequences_of_a_message_are_tamed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = start(tmp_path)

    logger.info("one\n2026-01-01 | INFO | forged\r\x1b]0;title\x07\tend\x9b")

    for text in (path.read_text(), capsys.readouterr().err):
        first, second = text.splitlines()
        assert first.endswith("one")
        assert second == "    2026-01-01 | INFO | forged\\x0d\\x1b]0;title\\x07\tend\\x9b"


def test_what_no_encoding_can_write_is_escaped(tmp_path: Path) -> None:
    path = start(tmp_path)

    logger.info("half \udcff")

    assert path.read_text().endswith("half \\udcff\n")


@pytest.mark.parametrize(
    ("base_dir", "reason"),
    [
        ("{tmp}/file", "Not a directory"),
        ("{tmp}/file/deeper", "Not a directory"),
        ("/proc/nowhere", "No such file or directory"),
        ("/dev/null", "Not a directory"),
        ("{tmp}/" + "x" * 300, "File name too long"),
        ("~nosuchuser", "no home folder is known for '~nosuchuser'"),
        ("$NO_SUCH_NAME/logs", "a variable in it is not set"),
        ("{tmp}/a\0b", "null byte"),
    ],
)
def test_a_folder_that_cannot_be_used_is_reported(
    tmp_path: Path, base_dir: str, reason: str
) -> None:
    (tmp_path / "file").write_text("in the way")

    error = refusal(base_dir.format(tmp=tmp_path))

    [problem] = error.problems
    assert problem.setting == "LOGS_BASE_DIR"
    assert reason in problem.reason
    assert problem.fix


def test_a_log_folder_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "worker").write_text("in the way")

    assert "File exists" in str(refusal(str(tmp_path)))


def test_a_folder_without_permission_is_reported(
    tmp_path: Path, run_as_nobody: Callable[[str, Path], str]
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o755)

    said = run_as_nobody(
        "from loreley.logs import *\n"
        f"try: configure_logging('worker', level='INFO', base_dir={str(closed)!r})\n"
        "except ConfigError as error: print(error)",
        tmp_path,
    )

    assert "Permission denied" in said
    assert "LOGS_BASE_DIR" in said


@pytest.fixture
def run_as_nobody() -> Callable[[str, Path], str]:
    """Runs Python code as a user that permission bits stop, which they do not for root."""

    def run(code: str, folder: Path) -> str:
        as_root = os.geteuid() == 0
        if not as_root:
            folder.joinpath("closed").chmod(0o500)
        drop = "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        imports = "from loreley.logs import *; from loreley.errors import ConfigError\n"
        done = subprocess.run(
            [sys.executable, "-c", imports + (drop if as_root else "") + code],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_two_starts_in_the_same_second_have_a_file_each(tmp_path: Path) -> None:
    # The name is taken for this second and the next, as a process of the same second would.
    now = datetime.now()  # noqa: DTZ005
    for seconds in range(5):
        taken = f"worker-{now + timedelta(seconds=seconds):%Y%m%d-%H%M%S}.log"
        old(tmp_path / "logs" / "worker" / taken, days=0)

    path = start(tmp_path)
    logger.info("mine")

    assert path.name.endswith(f"-{os.getpid()}.log")
    assert path.read_text().endswith("mine\n")


def test_files_of_earlier_starts_are_swept_after_two_weeks(tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "worker"
    swept = [
        old(folder / "worker-20200101-000000.log", days=15),
        old(folder / "worker-20200101-000000.2020-01-02_00-00-00_000000.log", days=15),
        old(folder / "worker-20200101-000000-77.log", days=14.1),
    ]
    kept = [
        old(folder / "worker-20200102-000000.log", days=13.9),
        old(folder / "scheduler-20200101-000000.log", days=15),
        old(folder / "worker-notes.txt", days=15),
        old(tmp_path / "logs" / "worker-20200101-000000.log", days=15),
    ]

    start(tmp_path)

    assert [path.exists() for path in swept] == [False] * len(swept)
    assert [path.exists() for path in kept] == [True] * len(kept)


def test_an_old_file_that_a_process_holds_is_not_swept(tmp_path: Path) -> None:
    held = old(tmp_path / "logs" / "worker" / "worker-20200101-000000.log", days=15)

    with held.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        start(tmp_path)
        assert held.exists()

    start(tmp_path)
    assert not held.exists()


def is_held(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_the_file_is_held_for_as_long_as_it_is_written(tmp_path: Path) -> None:
    path = start(tmp_path)

    assert is_held(path)
    logger.remove()
    assert not is_held(path)


def test_after_ten_megabytes_a_new_file_is_begun_and_held(tmp_path: Path) -> None:
    path = start(tmp_path)

    for _ in range(11):
        logger.info("-" * 1_000_000)

    [rotated] = set(path.parent.iterdir()) - {path}
    assert rotated.match("worker-*.log")
    assert rotated.stat().st_size <= 10_000_000
    assert path.stat().st_size < 3_000_000
    assert is_held(path)
    assert not is_held(rotated)


def test_a_file_that_was_removed_is_made_again(tmp_path: Path) -> None:
    path = start(tmp_path)
    path.unlink()

    logger.info("still here")

    assert path.read_text().endswith("still here\n")


@pytest.mark.parametrize("level", ["ERROR", "INFO", "DEBUG"])
def test_a_message_to_people_is_printed_once_whatever_the_level(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], level: str
) -> None:
    path = start(tmp_path, level)

    print_and_log("worker: stopped")

    assert capsys.readouterr().err == "worker: stopped\n"
    assert ("worker: stopped" in path.read_text()) is (level != "ERROR")


def test_what_libraries_log_takes_the_same_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = start(tmp_path)

    logging.getLogger("some.library").warning("careful with redis://:%s@host", SECRET)
    logging.getLogger("some.library").debug("chatter")
    logging.getLogger("some.library").log(25, "between")

    careful, between = path.read_text().splitlines()
    assert re.search(r"WARNING  \| .* \| tests.test_logs:\w+:\d+ - careful with redis://", careful)
    assert SECRET not in careful
    assert between.endswith("between")
    assert "chatter" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["sqlalchemy.engine", "alembic.runtime", "redis", "dramatiq"])
def test_chatty_libraries_are_heard_from_a_warning_on(tmp_path: Path, name: str) -> None:
    path = start(tmp_path)

    logging.getLogger(name).info("chatter")
    logging.getLogger(name).warning("careful")

    assert [line.rpartition(" - ")[2] for line in path.read_text().splitlines()] == ["careful"]


def test_nothing_is_logged_before_the_sinks_stand() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import loreley.logs; from loguru import logger; logger.info('x')"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        check=True,
    )

    assert done.stderr == done.stdout == b""


def test_the_tail_of_a_file_is_bounded_and_never_fails(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"a" * 5000 + b"\xff end")

    assert tail_of(path, 6) == "a\ufffd end"
    assert len(tail_of(path)) == 4096
    assert tail_of(tmp_path / "none") == tail_of(tmp_path) == ""
