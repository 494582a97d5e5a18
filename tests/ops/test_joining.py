"""An `evolve` in a state folder that has jobs already, or another `evolve` at work."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loreley.host.locks import FileLock
from loreley.ops.evolve import evolve
from tests.ops.experiment import SmallRun
from tests.ops.test_evolve import SETTINGS

WAITS = "import time; time.sleep(60)"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallRun:
    """A run of two jobs, which `evolve` finds in the environment."""
    run = SmallRun.begin(tmp_path, {"a": "1"})
    run.step({"a": "2"}, 2.0)
    run.step({"a": "3"}, 3.0)
    environment = SETTINGS | {
        "LORELEY_STATE_DIR": str(run.settings.loreley_state_dir),
        "DATABASE_URL": run.settings.sqlalchemy_url,
        "LOGS_BASE_DIR": str(tmp_path),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose scheduler is done at once, having said something."""
    (tmp_path / "script").mkdir()
    (tmp_path / "script" / "run_scheduler.py").write_text("print('words', flush=True)")
    (tmp_path / "script" / "run_worker.py").write_text(WAITS)
    return tmp_path


@contextmanager
def another_at_work(run: SmallRun) -> Iterator[None]:
    state = run.settings.loreley_state_dir
    state.mkdir(exist_ok=True)
    lock = FileLock(state / "evolve.lock")
    assert lock.acquire(shared=True)
    try:
        yield
    finally:
        lock.release()


@pytest.mark.slow
def test_fewer_jobs_than_there_were_are_told_so(
    run: SmallRun, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evolve(root / "script", jobs=1, workers=1) == 0

    said = capsys.readouterr().err
    assert "evolve: 2 jobs are done already; --jobs 1 adds none: give more than 2\n" in said
    assert "2/2 jobs" in said
    assert "2/1" not in said


@pytest.mark.slow
def test_more_jobs_than_there_were_are_nothing_to_speak_of(
    run: SmallRun, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evolve(root / "script", jobs=3, workers=1)

    said = capsys.readouterr().err
    assert "already" not in said
    assert "2/3 jobs" in said


@pytest.mark.slow
def test_a_second_evolve_says_that_it_joins_and_leaves_the_others_words(
    run: SmallRun, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run.settings.loreley_state_dir.mkdir(exist_ok=True)
    evolve(root / "script", jobs=3, workers=1)
    assert "joins" not in capsys.readouterr().err
    of_first = root / "logs" / "evolve" / "scheduler.err"
    of_first.write_text("words of the first")

    with another_at_work(run):
        evolve(root / "script", jobs=3, workers=1)

    assert "evolve: joins a run that is under way in" in capsys.readouterr().err
    assert of_first.read_text() == "words of the first"
    assert [path.read_text() for path in of_first.parent.glob("joined-*/scheduler.err")]
