"""`from loreley import Run`, as a notebook uses it."""

import subprocess
import sys
from pathlib import Path

import pytest

import loreley
from loreley import Run
from loreley.db.engine import open_database
from loreley.errors import ConfigError, LoreleyError
from loreley.ops.embedded.start import stop_server
from tests.evolved import Evolved
from tests.support import PROJECT_ROOT, eventually


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a run in a state folder of another name."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("LORELEY_STATE_DIR", raising=False)
    (tmp_path / ".env").write_text("LORELEY_STATE_DIR=kept\n")
    (tmp_path / "kept").mkdir()
    database = open_database(f"sqlite:///{tmp_path / 'kept' / 'loreley.db'}")
    run = Evolved(database)
    run.root(1.0)
    run.child(3.0, width=5, subject="widen it")
    run.failure("nonsense")
    database.close()
    return tmp_path


def test_a_run_is_read_as_plain_objects(folder: Path) -> None:
    with Run.open(folder) as run:
        assert run.overview.best is not None
        assert run.overview.best.fitness == 3.0
        assert run.best is not None
        assert run.best.last.subject == "widen it"
        assert run.lineage(run.best.root_commit) is not None
        assert run.lineage("b" * 40) is None
        assert [each.fitness for each in run.elites()] == [1.0, 3.0]
        assert [each.fitness for each in run.evaluations()] == [1.0, 3.0]
        assert [each.best for each in run.history()] == [1.0, 3.0]
        failed, child, root = run.jobs()
        assert (child["fitness"], child["gain"], child["metrics"]["width"]) == (3.0, 2.0, 5.0)
        assert (root["ordinal"], failed["metrics"]) == (-1, {})
        assert [each["state"] for each in run.jobs("failed")] == ["failed"]


def test_rows_become_a_frame_where_pandas_is_there(folder: Path) -> None:
    pandas = pytest.importorskip("pandas")
    with Run.open(folder) as run:
        frame = Run.frame(run.jobs())
        points = Run.frame(run.evaluations())

    assert isinstance(frame, pandas.DataFrame)
    assert list(frame["fitness"].dropna()) == [3.0, 1.0]
    assert "width" in frame.columns
    assert list(points["fitness"]) == [1.0, 3.0]


def test_without_pandas_it_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ConfigError, match="pip install pandas"):
        Run.frame([])


def test_a_folder_without_a_run_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("LORELEY_STATE_DIR", raising=False)
    with Run.open(tmp_path) as run, pytest.raises(LoreleyError, match="no experiment yet"):
        _ = run.overview
    with pytest.raises(ConfigError, match="no such folder"):
        Run.open(tmp_path / "nowhere")


def test_nothing_is_imported_before_somebody_asks() -> None:
    code = "import sys, loreley; print('sqlalchemy' in sys.modules, hasattr(loreley, 'nothing'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True
    )
    assert done.stdout.split() == ["False", "False"]
    assert loreley.__all__ == ["Run"]


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_run_is_begun_and_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "LORELEY_STATE_DIR", "TASKS_REDIS_URL", "LOGS_BASE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WORKER_TUNE_SECONDS", "0")
    monkeypatch.setenv("SCHEDULER_CONFIRMATION_SHARE", "0")
    with Run.open(tmp_path) as run:
        overview = run.evolve(jobs=2, workers=1)
        with pytest.raises(LoreleyError, match=r"(?s)exit code 1.*--jobs x"):
            run.start(jobs="x").wait()  # type: ignore[arg-type]
    eventually(lambda: stop_server(tmp_path / ".loreley"))

    assert overview.ended == 2
