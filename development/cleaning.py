"""What `invoke clean` removes: what was made inside the project, never anything outside it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from loreley.config import Role
from loreley.errors import ConfigError
from loreley.ops.embedded.start import stop_server
from loreley.ops.logs.files import find_logs

_CACHES = (
    *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"),
    *(".coverage", ".coverage.*", "htmlcov", "build", "dist", "*.egg-info"),
)
_STATE = (".loreley", "logs/worker", "logs/scheduler", "logs/evolve", "logs")
_OTHERS = frozenset({".git", ".venv", "venv", ".loreley", "node_modules"})


def clean(root: Path, *, state: bool = False, dry_run: bool = False) -> Iterator[Path]:
    """Remove caches and build products below ``root``, and yield each path that is gone.

    With ``state`` the state folder `.loreley` and the logs go too; raises `ConfigError` while
    processes use them. With ``dry_run`` the paths are only yielded. What LORELEY_STATE_DIR,
    LOGS_BASE_DIR or WORKER_REPO_WORKTREE put elsewhere is not touched.
    """
    if state and not dry_run:
        _require_unused(root)
    for path in [*_find_caches(root), *(_find_state(root) if state else [])]:
        if dry_run or _remove(path):
            yield path


def _find_caches(root: Path) -> Iterator[Path]:
    for pattern in _CACHES:
        yield from sorted(root.glob(pattern))
    for folder, names, _ in os.walk(root):
        names[:] = sorted(set(names) - _OTHERS)
        if "__pycache__" in names:
            names.remove("__pycache__")
            yield Path(folder) / "__pycache__"


def _find_state(root: Path) -> Iterator[Path]:
    for name in _STATE:
        path = root / name
        if path.is_symlink() or path.exists():
            yield path


def _remove(path: Path) -> bool:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    elif path.name == "logs":  # others may log there too
        if any(path.iterdir()):
            return False
        path.rmdir()
    else:
        shutil.rmtree(path)
    return True


def _require_unused(root: Path) -> None:
    running = [log.label for log in find_logs(root, tuple(Role)) if log.is_live]
    running += [f"process {pid}" for pid in _find_users(root / ".loreley")]
    if running or not stop_server(root / ".loreley"):
        raise ConfigError(
            "processes are still at work in this project",
            target=", ".join(running) or str(root / ".loreley"),
            reason="they would lose their state",
            fix="stop them, then clean",
        )


def _find_users(folder: Path) -> Iterator[int]:
    """Processes with files below ``folder`` open, but for the queue server's own (Linux only)."""
    inside, server = f"{folder.resolve()}/", f"{folder.resolve()}/redis/"
    for process in Path("/proc").glob("[0-9]*"):
        targets = list(_list_open_files(process))
        if any(t.startswith(inside) and not t.startswith(server) for t in targets):
            yield int(process.name)


def _list_open_files(process: Path) -> Iterator[str]:
    with suppress(OSError):  # it ended, or is another user's
        for link in (process / "fd").iterdir():
            with suppress(OSError):  # closed meanwhile
                yield str(link.readlink())
