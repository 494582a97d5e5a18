import fcntl
from pathlib import Path

import pytest

from development.cleaning import clean
from loreley.errors import ConfigError
from loreley.ops.embedded.start import ensure_server
from tests.support import eventually


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name in (
        *(".mypy_cache/x", ".coverage", ".coverage.host.1", "dist/a.whl", "pkg/__pycache__/m.pyc"),
        *(".venv/lib/__pycache__/m.pyc", ".git/build", "pkg/build/mine.txt", "pkg/m.py", ".env"),
        *(".loreley/loreley.db", ".loreley/a/__pycache__/m.pyc", "logs/worker/worker-x.log"),
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("content")
    return root


def names(root: Path, paths: list[Path]) -> set[str]:
    return {str(path.relative_to(root)) for path in paths}


CACHES = {".mypy_cache", ".coverage", ".coverage.host.1", "dist", "pkg/__pycache__"}


def test_caches_go_and_everything_else_stays(root: Path) -> None:
    assert names(root, list(clean(root))) == CACHES

    for name in (".venv/lib/__pycache__/m.pyc", ".git/build", "pkg/build/mine.txt", "pkg/m.py"):
        assert (root / name).exists()
    for name in (".env", ".loreley/loreley.db", ".loreley/a/__pycache__", "logs/worker"):
        assert (root / name).exists()
    assert list(clean(root)) == []


def test_a_dry_run_lists_the_same_and_removes_nothing(root: Path) -> None:
    assert names(root, list(clean(root, dry_run=True))) == CACHES
    assert (root / ".mypy_cache" / "x").exists()


def test_state_and_logs_go_when_asked_for(root: Path) -> None:
    (root / "logs" / "notes.txt").write_text("the user's")

    removed = names(root, list(clean(root, state=True)))

    assert removed == CACHES | {".loreley", "logs/worker"}
    assert (root / "logs" / "notes.txt").exists()
    (root / "logs" / "notes.txt").unlink()
    assert names(root, list(clean(root, state=True))) == {"logs"}


def test_what_a_link_points_to_is_never_touched(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("content")
    (root / "build").symlink_to(outside)
    (root / "pkg" / "linked").symlink_to(outside)
    (outside / "__pycache__").mkdir()

    assert "build" in names(root, list(clean(root)))
    assert (outside / "precious").exists()
    assert (outside / "__pycache__").exists()


def test_nothing_goes_while_a_process_uses_the_state(root: Path) -> None:
    with (root / ".loreley" / "loreley.db").open(), pytest.raises(ConfigError, match="at work"):
        list(clean(root, state=True))
    assert (root / ".loreley" / "loreley.db").exists()
    assert (root / ".mypy_cache").exists()


def test_nothing_goes_while_a_process_logs(root: Path) -> None:
    path = root / "logs" / "worker" / "worker-20261123-120000.log"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        with pytest.raises(ConfigError, match="at work") as raised:
            list(clean(root, state=True))
    assert "worker-120000" in str(raised.value)


@pytest.mark.slow
def test_a_queue_server_that_nobody_uses_is_stopped(root: Path) -> None:
    server = ensure_server(root / ".loreley", idle_seconds=60)
    with pytest.raises(ConfigError, match="at work"):
        list(clean(root, state=True))
    server.release()

    assert ".loreley" in names(root, list(clean(root, state=True)))
    eventually(lambda: not (root / ".loreley").exists())
