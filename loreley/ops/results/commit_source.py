"""A repository to read commits from: one that is here anyway, else a shallow clone for a moment."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from loreley.config import Settings
from loreley.core.worktrees.base_clone import BaseClone
from loreley.errors import ConfigError, GitError, ServiceUnavailable
from loreley.git.clone_folder import find_clone_folder
from loreley.git.git import Git
from loreley.git.objects import ObjectStore
from loreley.git.remote import Remote
from loreley.host.deadline import Deadline
from loreley.host.tempdirs import temporary_folder
from loreley.invocation import typed

_FETCH_SECONDS = 1800.0


@contextmanager
def open_objects(settings: Settings, commits: Sequence[str]) -> Iterator[ObjectStore]:
    """A repository that holds all of ``commits``; nothing in it may be changed.

    Raises `ConfigError` without a remote, and `GitError` when a commit is nowhere any more.
    """
    store = find_local_objects(settings, commits)
    if store is not None:
        yield store
        return
    git = Git(settings.worker_repo_git_bin)
    with temporary_folder() as folder:
        yield _fetch(settings, git, folder / "clone", commits)


def find_local_objects(settings: Settings, commits: Sequence[str]) -> ObjectStore | None:
    """A repository on this host that holds all of ``commits``; None without one.

    Nothing in it may be changed. Raises `ConfigError` without a remote.
    """
    git = Git(settings.worker_repo_git_bin)
    git.require_version()
    for git_dir in _find_local_repositories(settings):
        store = ObjectStore(git, git_dir)
        if all(map(store.has_commit, commits)):
            return store
    return None


def _find_local_repositories(settings: Settings) -> Iterator[Path]:
    """Repositories on this host that may hold the commits."""
    base = find_clone_folder(settings)
    for folder in (base, Path(_require_remote(settings).url)):
        for git_dir in (folder / ".git", folder):
            if (git_dir / "objects").is_dir():
                yield git_dir


def _fetch(settings: Settings, git: Git, place: Path, commits: Sequence[str]) -> ObjectStore:
    deadline = Deadline.after(_FETCH_SECONDS)
    clone = BaseClone(
        git,
        _require_remote(settings),
        place,
        branch=settings.worker_repo_branch,
        depth=1,
        job_branch_prefix=settings.worker_repo_job_branch_prefix,
    )
    clone.prepare(deadline)
    for commit in commits:
        try:
            clone.require_commit(commit, nullcontext(), deadline)
        except ServiceUnavailable:
            raise
        except GitError as error:
            raise _gone_error(commit, settings, error) from error
    return clone.store


def _gone_error(commit: str, settings: Settings, error: GitError) -> GitError:
    return GitError(
        "the commit is not on the remote any more",
        target=f"{commit} of {settings.remote_target}",
        reason=error.problems[0].reason,
        fix="its branch was deleted; a worker's base clone may still hold it: run this there. "
        f"The patch of each job is kept in the database: `{typed('job --help')}`",
    )


def _require_remote(settings: Settings) -> Remote:
    url = settings.worker_repo_remote_url
    if url is None:
        raise ConfigError(
            "the repository is not known",
            setting="WORKER_REPO_REMOTE_URL",
            fix="set it in the environment or in .env",
        )
    return Remote.parse(url.get_secret_value())
