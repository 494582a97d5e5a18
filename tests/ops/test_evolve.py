"""A whole run: what the command that watches it does when something goes away."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from loreley.commands.options import count
from loreley.core.jobs import JobState
from loreley.db.engine import Database
from loreley.errors import ConfigError
from loreley.host.signals import StopSignals
from loreley.map_elites.objective import Objective
from loreley.ops.evolve import describe_ending, evolve, watch
from loreley.ops.supervisor import ChildFailed, Supervisor
from loreley.views.overview import Overview
from tests.support import eventually

WAITS = "import time; time.sleep(60)"
SETTINGS = {
    "WORKER_REPO_REMOTE_URL": "/none",
    "WORKER_EVALUATOR_COMMAND": "true",
    "MAPELITES_FITNESS_METRIC": "score",
    "WORKER_SANDBOX": "limits",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose scheduler is soon done and whose workers wait."""
    (tmp_path / "script").mkdir()
    (tmp_path / "script" / "run_scheduler.py").write_text("import time; time.sleep(0.6)")
    (tmp_path / "script" / "run_worker.py").write_text(WAITS)
    return tmp_path


@contextmanager
def started(root: Path, workers: int = 1) -> Iterator[Supervisor]:
    supervisor = Supervisor(
        scripts=root / "script", workers=workers, max_jobs=1, output=root / "output"
    )
    with StopSignals() as signals:
        supervisor.start()
        try:
            yield supervisor
        finally:
            supervisor.stop(signals, grace_seconds=0)


@pytest.mark.slow
def test_a_database_that_is_away_is_waited_for(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away = Database(create_engine("postgresql+psycopg://127.0.0.1:1/none"))

    with started(root) as supervisor, StopSignals() as signals:
        watch(supervisor, away, signals, goal=1)

    assert supervisor.restarts == 0
    assert capsys.readouterr().err.count("the database does not answer as needed") == 1


@pytest.mark.slow
def test_what_its_processes_print_is_kept_beside_their_logs(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {
        "LORELEY_STATE_DIR": str(tmp_path / "state"),
        "LOGS_BASE_DIR": "$HERE/kept",
        "HERE": str(tmp_path),
    }
    for name, value in (SETTINGS | settings).items():
        monkeypatch.setenv(name, value)

    assert evolve(root / "script", jobs=1, workers=1) == 0

    assert (tmp_path / "kept" / "logs" / "evolve" / "scheduler.err").exists()
    said = capsys.readouterr().err
    assert f"logs in {tmp_path}/kept/logs\n" in said
    assert "warning: sandbox limits: children can use the network, end processes, read and" in said


def test_the_last_words_of_a_process_outlive_its_replacement(root: Path) -> None:
    (root / "script" / "run_scheduler.py").write_text(WAITS)
    (root / "script" / "run_worker.py").write_text(
        "import os, sys; print('words', file=sys.stderr, flush=True); os.kill(os.getpid(), 9)"
    )
    output = root / "output" / "worker-1.err"

    with started(root) as supervisor:
        eventually(lambda: supervisor.watch() and supervisor.restarts)
        eventually(lambda: output.read_text().count("words") == 2, within=2)


UNFIT = """
import os, sys, time
try:
    os.open("taken", os.O_CREAT | os.O_EXCL)
except FileExistsError:
    IS_FIRST = False
else:
    IS_FIRST = True
while not IS_FIRST and os.path.exists("others work"):
    time.sleep(0.02)
print("error: the evaluator differs", file=sys.stderr)
sys.exit(1)
"""


def test_a_worker_that_ends_with_a_message_is_left_out_and_the_last_one_ends_the_run(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "script" / "run_scheduler.py").write_text(WAITS)
    (root / "script" / "run_worker.py").write_text(UNFIT)
    (root / "others work").touch()

    with started(root, workers=2) as supervisor:
        eventually(lambda: supervisor.watch() and "1 worker is left" in capsys.readouterr().err)
        assert supervisor.watch()
        (root / "others work").unlink()
        with pytest.raises(ChildFailed, match="error: the evaluator differs"):
            eventually(lambda: not supervisor.watch())

    assert supervisor.restarts == 0


def test_a_worker_that_ends_as_it_was_asked_is_not_replaced(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "script" / "run_scheduler.py").write_text(WAITS)
    (root / "script" / "run_worker.py").write_text("")

    with started(root, workers=2) as supervisor:
        eventually(lambda: not supervisor.watch())

    assert (supervisor.restarts, supervisor.has_workers) == (0, False)
    assert capsys.readouterr().err.count("has ended, as it was asked") == 2


def test_the_whole_failure_is_shown_whatever_its_reason_says(tmp_path: Path) -> None:
    """Git says error: as well."""
    output = tmp_path / "worker-1.err"
    told = (
        "error: git push failed\n  reason:  stderr: remote: error: GH006 error: failed to push\n"
        "error: and a key is missing\n  fix:     set it"
    )
    output.write_text(f"error: of an earlier start\nINFO | online\n{told}\nworker: stopped\n")

    failure = ChildFailed("worker 1", 1, output)

    assert str(failure).startswith(f"{told}\nworker: stopped\nerror: the worker 1 ended")
    assert failure.in_short == "the worker 1 ended with exit code 1: git push failed"


def test_what_a_process_prints_is_bounded(root: Path) -> None:
    (root / "script" / "run_scheduler.py").write_text(WAITS)
    (root / "script" / "run_worker.py").write_text(
        "import sys, time\n"
        "sys.stderr.write('x' * 11 * 2**20)\n"
        "while True: print('more', file=sys.stderr, flush=True); time.sleep(0.01)\n"
    )
    output = root / "output" / "worker-1.err"
    with started(root) as supervisor:
        eventually(lambda: output.stat().st_size > 11 * 2**20)
        supervisor.watch()
        eventually(lambda: "more" in output.read_text())

        assert output.stat().st_size < 2**20


@pytest.mark.parametrize(
    ("ended", "over", "words"),
    [
        (3, None, "stopped after 2 s, as its scheduler was; the same command goes on from here"),
        (5, None, "done in 2 s; a larger --jobs goes on from here"),
        (3, "10 dollars", "done in 2 s, as the budget is reached: 10 dollars"),
    ],
)
def test_a_run_whose_scheduler_was_stopped_is_not_called_done(
    ended: int, over: str | None, words: str
) -> None:
    jobs = dict.fromkeys(JobState, 0) | {JobState.SUCCEEDED: ended}
    overview = Overview("a" * 40, Objective("score"), jobs, 1, (), None, None, (), None, 0, 0.0, 1)

    assert describe_ending(overview, seconds=2.0, stopped=False, goal=5, over=over) == words


def test_more_workers_than_a_machine_carries_are_refused_by_their_flag() -> None:
    with pytest.raises(ConfigError) as raised:
        count("workers", "20000", most=1000)

    assert raised.value.problems[0].setting == "--workers 20000"
    assert raised.value.problems[0].fix == "at most 1000"
