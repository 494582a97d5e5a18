"""`invoke top`: in a pipe, on a terminal, and until Ctrl+C."""

import io
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from loreley.config import Settings
from loreley.core.jobs import JobKind
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import AgentFailed, ConfigError
from loreley.ops.top.screen import Screen, show_run
from tests.db.support import claimed, failed
from tests.ops.experiment import SmallRun, usual
from tests.services import free_port
from tests.support import PROJECT_ROOT

SCRIPT = """
from loreley.config import Settings
from loreley.ops.messages import failures_as_messages
from loreley.ops.top.screen import show_run
with failures_as_messages():
    show_run(Settings(), every_seconds=0.2, once=False)
"""


def busy(folder: Path, redis_url: str) -> SmallRun:
    """A run with a job that runs and one that has failed."""
    run = usual(folder, tasks_redis_url=redis_url)
    with closing(run.database()) as database:
        schedule = Schedule(database)
        bad = schedule.create(NewJob(JobKind.EVOLUTION, 8, 7, run.commits[0]))
        failed(database, bad, AgentFailed("no [red]idea[/red]\x1b[31m at all"))
        claimed(database, schedule.create(NewJob(JobKind.EVOLUTION, 9, 7, run.commits[0])))
    return run


def test_a_pipe_gets_all_of_it_once_as_plain_text(
    tmp_path: Path, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = busy(tmp_path, redis_url)

    show_run(run.settings, every_seconds=1, once=False)

    told = capsys.readouterr().out
    for words in (
        "4: 1 running, 2 succeeded, 1 failed",
        "score 3.5, not confirmed yet",
        "stress 27",
        "20 cells filled   island 0: 3 filled, best 3.5",
        "jobs/min",
        "0 waiting · 0 in work · 0 processes alive",
        "#9 ",
        "host:1",
        " agent  no [red]idea[/red] at all",
    ):
        assert words in told, told
    assert "\x1b" not in told


def test_a_queue_that_is_away_is_a_part_of_the_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = busy(tmp_path, f"redis://:hunter2@127.0.0.1:{free_port()}/0")

    show_run(run.settings, every_seconds=1, once=True)

    told = capsys.readouterr().out
    assert "Redis does not answer" in told
    assert "score 3.5" in told
    assert "hunter2" not in told


def test_a_root_that_nothing_beats_is_called_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = SmallRun.begin(tmp_path, {"plan.txt": "one\n"})

    show_run(run.settings, every_seconds=1, once=True)

    told = capsys.readouterr().out
    assert f"score 1, the root itself  {run.commits[0][:12]}" in told
    assert "+0" not in told


def test_looking_starts_no_queue_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = usual(tmp_path)

    show_run(run.settings, every_seconds=1, once=True)

    assert "the embedded server does not run" in capsys.readouterr().out
    assert not (run.settings.loreley_state_dir / "redis").exists()


def test_before_there_is_a_run_it_says_so(
    tmp_path: Path, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings.model_validate(
        {"loreley_state_dir": tmp_path, "tasks_redis_url": redis_url}
    )

    show_run(settings, every_seconds=1, once=True)

    assert "no experiment yet" in capsys.readouterr().out


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), 1e9])
def test_an_interval_without_sense_is_refused(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(ConfigError, match="that often"):
        show_run(Settings(loreley_state_dir=tmp_path), every_seconds=seconds, once=False)


@contextmanager
def on_a_terminal(run: SmallRun, redis_url: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=run.folder,
        env=os.environ
        | {
            "LORELEY_STATE_DIR": str(run.settings.loreley_state_dir),
            "TASKS_REDIS_URL": redis_url,
            "PYTHONPATH": str(PROJECT_ROOT),
            "TERM": "xterm-256color",
            "COLUMNS": "100",
            "LINES": "30",
        },
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def read_until(ours: int, words: bytes) -> bytes:
    seen = b""
    while words not in seen:
        part = os.read(ours, 1 << 16)
        assert part, seen
        seen += part
    return seen


@pytest.mark.slow
def test_a_terminal_is_drawn_anew_and_given_back_at_ctrl_c(tmp_path: Path, redis_url: str) -> None:
    run = busy(tmp_path, redis_url)
    with on_a_terminal(run, redis_url) as (process, ours):
        read_until(ours, b"3.5")
        run.step({"plan.txt": "all new\n"}, 7.25)
        read_until(ours, b"7.25")
        process.send_signal(signal.SIGINT)
        rest = read_until(ours, b"\x1b[?1049l")  # the screen from before

        assert b"Traceback" not in rest
        assert process.wait(10) == 0


@pytest.mark.slow
def test_keys_lead_through_the_views_within_80_by_24(tmp_path: Path, redis_url: str) -> None:
    run = busy(tmp_path, redis_url)
    with on_a_terminal(run, redis_url) as (process, ours):
        read_until(ours, b"3.5")
        os.write(ours, b"\t")
        read_until(ours, b"jobs, the newest first")
        os.write(ours, b"s")
        read_until(ours, b"jobs, the fittest first")
        os.write(ours, b"\r")
        read_until(ours, b"metric       score = 3.5")
        os.write(ours, b"\x1b")
        read_until(ours, b"jobs, the fittest first")
        os.write(ours, b"\t")
        read_until(ours, b"no worker is online")
        os.write(ours, b"q")
        read_until(ours, b"\x1b[?1049l")

        assert process.wait(10) == 0


def test_a_screen_of_24_lines_is_never_overfull(tmp_path: Path, redis_url: str) -> None:
    run = busy(tmp_path, redis_url)
    with closing(run.database()) as database:
        for number in range(20, 50):
            failed(
                database,
                Schedule(database).create(NewJob(JobKind.EVOLUTION, number, 7, run.commits[0])),
                AgentFailed("no idea " * 40),
            )
        screen = Screen(run.settings, database)
        for _ in range(3):
            console = Console(width=80, height=24, file=io.StringIO())
            console.print(screen.draw(24))
            shown = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
            assert len(shown) <= 24, "\n".join(shown)
            assert max(map(len, shown)) <= 80
            assert screen.press("next")
        assert not screen.press("quit")
