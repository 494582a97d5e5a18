"""Giving a run another name, and deleting one."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url

from loreley.config import Settings
from loreley.config.process import SCHEMA_OF_RUN, StateSettings
from loreley.db.engine import connected, open_database
from loreley.db.workers import count_online
from loreley.errors import ConfigError, GitError, LoreleyError
from loreley.git.git import Git
from loreley.host.locks import FileLock
from loreley.invocation import typed
from loreley.ops.runs.known import find_runs, of_run

_OF_SQLITE = ("", "-wal", "-shm", ".lock")


def rename_run(settings: Settings, old: str, new: str) -> str:
    """Give a run another name; what was done, in words. Raises `LoreleyError`."""
    _require_name(new)
    _require_known(settings, old)
    if new in find_runs(settings):
        raise ConfigError("there is such a run already", target=new, fix="choose another name")
    before, after = of_run(settings, old), of_run(settings, new)
    _require_at_rest(before)
    url = make_url(before.sqlalchemy_url)
    if url.get_backend_name() == "postgresql":
        _execute(settings, f'ALTER SCHEMA "{SCHEMA_OF_RUN}{old}" RENAME TO "{SCHEMA_OF_RUN}{new}"')
    elif before.database_url is None:
        before.run_folder.rename(after.run_folder)
    else:
        target = make_url(after.sqlalchemy_url).database or ""
        for path, suffix in _find_files(url.database or ""):
            path.rename(f"{target}{suffix}")
    return f"run {old} is called {new} now; branches that it has pushed keep their names"


def delete_run(settings: Settings, name: str, *, yes: bool) -> Iterator[str]:
    """Delete a run with all that the database knows of it, and its branches; lines to print.

    Raises `LoreleyError`, and changes nothing, where it is at work or ``yes`` is not set.
    """
    _require_known(settings, name)
    gone = of_run(settings, name)
    _require_at_rest(gone)
    own = f"-{settings.loreley_run}" if settings.loreley_run else ""
    prefix = f"{settings.worker_repo_job_branch_prefix.removesuffix(own)}-{name}"
    if not yes:
        raise ConfigError(
            "nothing was deleted",
            reason="with --yes go its jobs, figures, archive and artifacts, and the branches "
            f"below {prefix}",
            fix=f"to keep what is best, export it first: `{typed('export --patch FILE')}`",
        )
    url = make_url(gone.sqlalchemy_url)
    if url.get_backend_name() == "postgresql":
        _execute(settings, f'DROP SCHEMA "{SCHEMA_OF_RUN}{name}" CASCADE')
    elif gone.database_url is None:
        shutil.rmtree(gone.run_folder)
    else:
        for path, _ in _find_files(url.database or ""):
            path.unlink()
    yield f"run {name} is deleted"
    yield _delete_branches(settings, prefix)


def _delete_branches(settings: Settings, prefix: str) -> str:
    remote = settings.worker_repo_remote_url
    if remote is None:
        return f"no remote is configured: branches below {prefix} stay where they are"
    git, url = Git(settings.worker_repo_git_bin), remote.get_secret_value()
    try:
        names = list(git.list_remote_branches(url, prefix))
        git.delete_remote_branches(url, names)
    except GitError as error:
        return f"warning: branches below {prefix} stay: {error.problems[0].what}"
    return f"{len(names)} branches below {prefix} are deleted"


def _require_name(name: str) -> None:
    try:
        StateSettings(loreley_run=name)
    except ValueError:
        raise ConfigError(
            "that is no name of a run",
            target=name[:80],
            fix="use lower-case letters, digits and '_', a letter first, at most 40",
        ) from None


def _require_known(settings: Settings, name: str) -> None:
    _require_name(name)
    if name not in find_runs(settings):
        raise ConfigError(
            "there is no such run", target=name, fix=f"`{typed('runs')}` lists those that are"
        )


def _require_at_rest(settings: Settings) -> None:
    """Raise `LoreleyError` where somebody is at work on the run."""
    with closing(open_database(settings.sqlalchemy_url)) as database, database.read() as connection:
        online = count_online(connection)
    lock = settings.run_folder / "evolve.lock"
    is_held = lock.exists() and FileLock(lock).is_held_by_anyone()
    if online or is_held:
        raise LoreleyError(
            f"run {settings.loreley_run} is at work",
            reason=f"{online} workers are online" if online else "evolve is at work on it",
            fix="stop it first, or drain its workers",
        )


def _find_files(database: str) -> Iterator[tuple[Path, str]]:
    for suffix in _OF_SQLITE:
        path = Path(f"{database}{suffix}")
        if path.exists():
            yield path, suffix


def _execute(settings: Settings, statement: str) -> None:
    """Run a statement outside of the run's own schema; names were checked."""
    with connected(of_run(settings, None).sqlalchemy_url) as connection:
        connection.execute(text(statement))
