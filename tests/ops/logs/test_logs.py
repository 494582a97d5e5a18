import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

import pytest

from loreley.errors import ConfigError
from loreley.ops.logs.files import find_logs, find_runs
from loreley.ops.logs.tailing import Follower, read_last_events
from loreley.ops.logs.view import LogView, find_logs_base, parse_level, parse_roles
from tests.support import PROJECT_ROOT, eventually

NOON = datetime(2026, 11, 23, 12, 0, 0)  # noqa: DTZ001 - logs have local time
ROLES = ("worker", "scheduler")


def line(seconds: float, text: str, level: str = "INFO") -> str:
    time = (NOON + timedelta(seconds=seconds)).isoformat(" ", "milliseconds")
    return f"{time} | {level:<8} | 7/MainThread job=- | m:f:1 - {text}\n"


def write(path: Path, content: str | bytes, modified_after_noon: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    moment = (NOON + timedelta(seconds=modified_after_noon)).timestamp()
    os.utime(path, (moment, moment))
    return path


def worker_log(base: Path, name: str = "120000") -> Path:
    return base / "logs" / "worker" / f"worker-20261123-{name}.log"


def scheduler_log(base: Path, name: str = "120000") -> Path:
    return base / "logs" / "scheduler" / f"scheduler-20261123-{name}.log"


@contextmanager
def held(path: Path) -> Iterator[None]:
    """As a live process holds the file it logs to."""
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def tail(base: Path, *, lines: int = 50, level: str | None = None) -> list[str]:
    runs = find_runs(find_logs(base, ROLES))
    return texts(read_last_events(runs[0].logs, lines=lines, level=level))


def texts(items: object) -> list[str]:
    assert isinstance(items, list)
    return [text.rpartition(" - ")[2] for item in items for text in item.event.lines]


def follower(base: Path) -> Follower:
    return Follower(base, ROLES, find_logs(base, ROLES))


def test_processes_that_overlap_are_a_run_and_the_newest_run_comes_first(tmp_path: Path) -> None:
    write(scheduler_log(tmp_path, "110000"), line(-3600, "old"), -3000)
    write(scheduler_log(tmp_path, "120000"), line(0, "s"), 300)
    write(worker_log(tmp_path, "120001"), line(1, "a"), 60)
    write(worker_log(tmp_path, "120200"), line(120, "b"), 130)

    runs = find_runs(find_logs(tmp_path, ROLES))

    assert [[log.label for log in run.logs] for run in runs] == [
        ["scheduler-120000", "worker-120001", "worker-120200"],
        ["scheduler-110000"],
    ]
    assert runs[0].ended == (NOON + timedelta(seconds=300)).timestamp()


def test_an_idle_process_that_lives_belongs_to_the_newest_run(tmp_path: Path) -> None:
    path = write(worker_log(tmp_path), line(0, "idle"), 0)
    write(worker_log(tmp_path, "140000"), line(7200, "new"), 7200)

    assert len(find_runs(find_logs(tmp_path, ROLES))) == 2
    with held(path):
        [run] = find_runs(find_logs(tmp_path, ROLES))
        assert run.ended is None


def test_rotated_files_belong_to_their_process(tmp_path: Path) -> None:
    write(worker_log(tmp_path), line(9, "third"), 9)
    stem = "worker-20261123-120000"
    write(worker_log(tmp_path).with_name(f"{stem}.2026-11-23_12-00-00_1.log"), line(1, "first"), 1)
    write(worker_log(tmp_path).with_name(f"{stem}.2026-11-23_12-00-05_2.log"), line(5, "second"), 5)

    [log] = find_logs(tmp_path, ROLES)

    assert len(log.segments) == 3
    assert tail(tmp_path) == ["first", "second", "third"]
    assert tail(tmp_path, lines=2) == ["second", "third"]


def test_files_that_are_no_logs_of_ours_are_passed_over(tmp_path: Path) -> None:
    folder = write(worker_log(tmp_path), line(0, "mine"), 0).parent
    write(folder / "worker-99999999-000000.log", "no such day\n", 0)
    write(folder / "worker.log", "no time\n", 0)
    write(folder / "notes.txt", "text\n", 0)
    (folder / "worker-20261123-130000.log").mkdir()
    (folder / "worker-20261123-140000.log").symlink_to(folder / "worker.log")

    assert [log.label for log in find_logs(tmp_path, ROLES)] == ["worker-120000"]


def test_events_of_several_processes_are_in_the_order_of_time(tmp_path: Path) -> None:
    write(worker_log(tmp_path), line(1, "a1") + line(4, "a2"), 5)
    write(worker_log(tmp_path, "120000-77"), line(2, "b1") + line(3, "b2"), 5)

    items = read_last_events(find_logs(tmp_path, ROLES), lines=50, level=None)

    assert texts(items) == ["a1", "b1", "b2", "a2"]
    assert [item.label for item in items] == [
        "worker-120000",
        "worker-120000-77",
        "worker-120000-77",
        "worker-120000",
    ]


def test_a_level_keeps_an_event_with_its_traceback(tmp_path: Path) -> None:
    content = line(0, "fine") + line(1, "bad", "ERROR") + "    Traceback:\n\n    boom\n"
    write(worker_log(tmp_path), content + line(2, "fine") + "    detail\n", 2)

    assert tail(tmp_path, level="WARNING") == ["bad", "    Traceback:", "", "    boom"]
    assert tail(tmp_path, level="CRITICAL") == []


def test_only_the_end_of_a_huge_file_is_read(tmp_path: Path) -> None:
    path = worker_log(tmp_path)
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(50 * 2**30)  # a hole: reading it whole would take minutes
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + "".join(line(n, f"event {n}") for n in range(100)).encode())

    assert tail(tmp_path, lines=2) == ["event 98", "event 99"]


def test_a_huge_line_is_cut(tmp_path: Path) -> None:
    write(worker_log(tmp_path), line(0, "x" * 10_000_000) + line(1, "after"), 1)

    long, after = tail(tmp_path)

    assert after == "after"
    assert len(long) < 40_000
    assert long.endswith("bytes more)")


@pytest.mark.slow
@pytest.mark.parametrize("rubbish", [os.urandom(300_000), b"\n" * 100_000, b"\0" * 100_000, b""])
def test_rubbish_is_shown_harmlessly(tmp_path: Path, rubbish: bytes) -> None:
    write(worker_log(tmp_path), line(0, "before").encode() + rubbish, 1)

    found = "".join(tail(tmp_path, lines=1_000_000))

    assert found.startswith("before")
    assert found.isprintable() or "\t" in found or "\ufffd" in found
    assert "\x1b" not in found
    added = follower(tmp_path)
    with worker_log(tmp_path).open("ab") as file:
        file.write(rubbish + b"\n" + line(2, "after").encode())
    assert texts(added.poll())[-1] == "after"


def test_colour_codes_do_not_reach_the_terminal(tmp_path: Path) -> None:
    write(worker_log(tmp_path), line(0, "\x1b[31mred\x9b0m \tend"), 0)

    assert tail(tmp_path) == ["\\x1b[31mred\\x9b0m \tend"]


def test_following_shows_what_is_added_and_nothing_twice(tmp_path: Path) -> None:
    path = write(worker_log(tmp_path), line(0, "seen"), 0)
    follow = follower(tmp_path)
    assert follow.poll() == []
    with path.open("a") as file:
        file.write(line(1, "one") + line(2, "two")[:-5])
        file.flush()
        assert texts(follow.poll()) == ["one"]
        file.write(line(2, "two")[-5:])
    assert texts(follow.poll()) == ["two"]
    assert follow.poll() == []


def test_following_survives_rotation_even_twice_at_once(tmp_path: Path) -> None:
    path = write(worker_log(tmp_path), line(0, "seen"), 0)
    follow = follower(tmp_path)
    for number in (1, 2):
        with path.open("a") as file:
            file.write(line(number, f"last of {number}"))
        moment = (NOON + timedelta(seconds=number)).timestamp()
        os.utime(path, (moment, moment))
        path.rename(path.with_name(f"{path.stem}.2026-11-23_12-00-0{number}_0.log"))
        path.write_text(line(number + 0.5, f"first after {number}"))

    assert texts(follow.poll()) == [
        "last of 1",
        "first after 1",
        "last of 2",
        "first after 2",
    ]


def test_following_finds_new_starts_and_survives_vanishing_files(tmp_path: Path) -> None:
    path = write(worker_log(tmp_path), line(0, "seen"), 0)
    follow = follower(tmp_path)
    write(scheduler_log(tmp_path, "120500"), line(300, "new"), 300)
    assert texts(follow.poll()) == ["new"]
    path.unlink()
    assert follow.poll() == []
    write(path, line(400, "again"), 400)
    assert texts(follow.poll()) == ["again"]


def test_following_starts_over_when_a_file_is_emptied(tmp_path: Path) -> None:
    path = write(worker_log(tmp_path), line(0, "seen") * 10, 0)
    follow = follower(tmp_path)
    path.write_text(line(1, "fresh"))
    assert texts(follow.poll()) == ["fresh"]


def test_following_cuts_a_huge_line_once(tmp_path: Path) -> None:
    path = write(worker_log(tmp_path), "", 0)
    follow = follower(tmp_path)
    with path.open("a") as file:
        file.write(line(1, "x" * 5_000_000) + line(2, "after"))

    long, after = texts(follow.poll())
    assert after == "after"
    assert len(long) < 40_000


def test_the_view_names_the_processes_when_there_are_several(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    view = LogView(tmp_path, roles=ROLES, level=None)
    write(worker_log(tmp_path), line(0, "alone"), 0)
    view.show(lines=50)
    assert capsys.readouterr().out == line(0, "alone")

    write(scheduler_log(tmp_path), line(0.5, "other"), 1)
    view.show(lines=50)
    assert capsys.readouterr().out == (
        f"worker-120000    | {line(0, 'alone')}scheduler-120000 | {line(0.5, 'other')}"
    )


def test_the_view_shows_no_more_lines_than_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(worker_log(tmp_path), line(0, "event") + "    1\n    2\n", 0)
    view = LogView(tmp_path, roles=ROLES, level=None)
    view.show(lines=2)
    assert capsys.readouterr().out == "    1\n    2\n"
    view.show(lines=0)
    assert capsys.readouterr().out == ""


def test_older_runs_are_listed_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(worker_log(tmp_path), line(0, "old"), 90)
    newest = write(worker_log(tmp_path, "130000"), line(3600, "new"), 3600)
    view = LogView(tmp_path, roles=ROLES, level=None)

    with held(newest):
        view.list_runs()
    assert capsys.readouterr().out.splitlines() == [
        "  1  2026-11-23 13:00:00  running       worker-130000",
        "  2  2026-11-23 12:00:00  0:01:30       worker-120000",
    ]
    view.show(lines=50, run=2)
    assert "old" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="no such run"):
        view.show(lines=50, run=3)


def test_without_logs_the_view_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        LogView(tmp_path, roles=("worker",), level=None).show(lines=50)
    assert str(tmp_path / "logs" / "worker") in str(raised.value)
    assert "invoke worker" in str(raised.value)


def test_what_is_asked_for_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_level("warning") == "WARNING"
    assert parse_level(None) is None
    assert parse_roles("Worker") == ("worker",)
    assert parse_roles(None) == ROLES
    monkeypatch.chdir(tmp_path)
    assert find_logs_base(None) == find_logs_base(" ") == tmp_path
    assert find_logs_base("~/x") == Path.home() / "x"
    for wrong in (lambda: parse_level("LOUD"), lambda: parse_roles("judge")):
        with pytest.raises(ConfigError):
            wrong()


FOLLOW = """
import sys
from pathlib import Path
from loreley.ops.logs.view import LogView
LogView(Path(sys.argv[1]), roles=("worker", "scheduler"), level=None).follow(lines=50)
"""
LOG = """
import sys
from loguru import logger
from loreley.logs import configure_logging
configure_logging("worker", level="INFO", base_dir=sys.argv[1])
for number in range(int(sys.argv[2])):
    logger.info("event {}: {}", number, "1" * 100_000)
"""


def started(code: str, *arguments: str, stdout: IO[bytes] | int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=PROJECT_ROOT,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.slow
def test_a_follower_sees_every_event_of_a_process_that_rotates_its_log(tmp_path: Path) -> None:
    events = 250  # of 100 kB: two rotations at 10 MB
    seen = tmp_path / "seen"
    with seen.open("wb") as output, ExitStack() as processes:
        follow = started(FOLLOW, str(tmp_path), stdout=output)
        processes.callback(follow.kill)
        log = processes.enter_context(
            started(LOG, str(tmp_path), str(events), stdout=subprocess.DEVNULL)
        )
        assert log.wait(60) == 0
        assert len(list((tmp_path / "logs" / "worker").iterdir())) == 3
        eventually(lambda: f"event {events - 1}:" in seen.read_text(), within=20)
        follow.send_signal(signal.SIGINT)
        follow.wait(10)

    numbers = [int(row.split("event ")[1].split(":")[0]) for row in seen.read_text().splitlines()]
    assert numbers == list(range(events))
