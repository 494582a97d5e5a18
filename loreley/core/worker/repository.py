"""The worker's copies of the evolved repository: one base clone, a worktree for each job."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from loreley.config import Settings
from loreley.core.worktrees.base_clone import BaseClone
from loreley.core.worktrees.commit_vectors import CommitVectors
from loreley.core.worktrees.footprint import Footprint as Footprint
from loreley.core.worktrees.footprint import Footprints
from loreley.core.worktrees.lfs import LargeFiles
from loreley.core.worktrees.random_clones import RandomClone
from loreley.core.worktrees.shared import Shared
from loreley.core.worktrees.slots import Slots
from loreley.core.worktrees.submodules.checkouts import Submodules
from loreley.core.worktrees.worktree import Candidate as Candidate
from loreley.core.worktrees.worktree import Worktree as Worktree
from loreley.errors import ConfigError, HostTrouble
from loreley.git.clone_folder import find_clone_folder
from loreley.git.commits import Identity
from loreley.git.git import Git
from loreley.git.objects import ObjectStore
from loreley.git.remote import Remote
from loreley.host.deadline import Deadline

_AUTHOR = Identity("loreley", "loreley@localhost")


@dataclass(frozen=True, slots=True)
class RepositoryOptions:
    """What a worker needs to know of the repository; see the settings of the same names."""

    remote_url: str
    base: Path  # absolute
    branch: str = "main"
    randomize: bool = False
    random_suffix_length: int = 8
    git_bin: str = "git"
    fetch_depth: int | None = None
    clean_excludes: tuple[str, ...] = ()
    job_branch_prefix: str = "evolution/job"
    enable_lfs: bool | None = None
    submodule_urls: tuple[str, ...] = ()
    author: Identity = _AUTHOR

    @classmethod
    def from_settings(cls, settings: Settings) -> "RepositoryOptions":
        """The settings as options; raises `ConfigError` without a remote or for a bad path."""
        url = settings.worker_repo_remote_url
        if url is None:
            raise ConfigError(
                "the repository to evolve is not known",
                setting="WORKER_REPO_REMOTE_URL",
                fix="set it in the environment or in .env",
            )
        return cls(
            remote_url=url.get_secret_value(),
            base=find_clone_folder(settings),
            branch=settings.worker_repo_branch,
            randomize=settings.worker_repo_worktree_randomize,
            random_suffix_length=settings.worker_repo_worktree_random_suffix_len,
            git_bin=settings.worker_repo_git_bin,
            fetch_depth=settings.worker_repo_fetch_depth,
            clean_excludes=tuple(settings.worker_repo_clean_excludes),
            job_branch_prefix=settings.worker_repo_job_branch_prefix,
            enable_lfs=settings.worker_repo_enable_lfs,
            submodule_urls=tuple(settings.worker_repo_submodule_urls),
            author=commit_author(settings),
        )


def commit_author(settings: Settings) -> Identity:
    """Who the commits of an evolution are by."""
    return Identity(settings.worker_evolution_commit_author, settings.worker_evolution_commit_email)


class WorkerRepository:
    """The base clone at ``base`` and the worktrees under ``worktrees``, ``<base>-worktrees/``.

    Any number of worker processes of one host may share them. A worktree stands at
    ``<base>-worktrees/<name>`` while its lease lasts; afterwards it is kept aside as a spare
    slot, so that the next lease costs what the commits differ by. Whatever a process leaves when
    it dies is removed by the next lease of any other. Submodules are checked out from remotes
    that the options allow, else they stay empty folders.
    """

    def __init__(self, options: RepositoryOptions) -> None:
        self._options = options
        self._git = Git(options.git_bin)
        self._random: RandomClone | None = None
        self._head = ""  # of the branch, when it was last looked at
        self._shared: Shared | None = None
        self.base = Path(os.path.realpath(options.base))

    @property
    def worktrees(self) -> Path:
        """The folder in which the worktrees stand."""
        return self.base.with_name(f"{self.base.name}-worktrees")

    def prepare(self, deadline: Deadline) -> None:
        """Make or update the base clone and remove what crashes left, before the first lease.

        Raises `ConfigError` for what the operator must change, and `GitError` when git fails,
        which is a `ServiceUnavailable` too where the remote does not answer.
        """
        with _explain_os_errors(self.base, "WORKER_REPO_WORKTREE"):
            self._prepare(deadline)

    def _prepare(self, deadline: Deadline) -> None:
        options = self._options
        remote = Remote.parse(options.remote_url)
        self._git.require_version()
        if options.randomize and self._random is None:
            self._random = RandomClone.claim(self.base, options.random_suffix_length, deadline)
            self.base = self._random.base
        shared = self._assemble(remote)
        with shared.slots.lock(deadline):
            head = self._head = shared.clone.prepare(deadline)
        shared.slots.sweep(deadline)
        _collect_garbage(shared, deadline)
        shared.large_files.filters_for(head, deadline)
        shared.submodules.fetch(head, deadline)
        self._shared = shared

    def use_credentials(self, url: str) -> None:
        """Go to the same remote with what the URL holds by now; another remote is not taken."""
        remote, shared = Remote.parse(url), self._shared
        if shared is not None and remote.is_same_as(shared.clone.remote):
            shared.clone.remote = remote
            shared.large_files.use_credentials(remote)
            shared.submodules.use_credentials(remote)
            self._options = replace(self._options, remote_url=url)

    def try_push(self, deadline: Deadline) -> None:
        """Find out whether the remote takes branches of jobs, before one is paid for.

        Raises `GitError`, which is a `ServiceUnavailable` too where the remote does not answer.
        """
        shared = self._shared
        assert shared is not None  # it was prepared
        head = self._head
        self._git.try_push(shared.clone.remote, self._options.job_branch_prefix, head, deadline)

    @contextmanager
    def lease(self, base_commit: str, name: str, deadline: Deadline) -> Iterator[Worktree]:
        """A clean worktree of ``base_commit`` at `worktrees` / ``name``, gone afterwards.

        A commit that is not here is fetched. Raises `GitError` when there is none such, and what
        the deadline raises.
        """
        shared = self._shared
        if shared is None:
            raise RuntimeError("the repository must be prepared before it can be leased")
        with _explain_os_errors(self.worktrees):
            if not shared.slots.has_room():  # before anything that needs some
                shared.slots.sweep(deadline)
        _collect_garbage(shared, deadline)
        shared.clone.require_commit(base_commit, shared.slots.lock(deadline), deadline)
        shared.clone.config.restore()
        filters = shared.large_files.filters_for(base_commit, deadline)
        with _explain_os_errors(self.worktrees):
            slot = shared.slots.take(name, base_commit, filters, deadline)
        try:
            yield Worktree(shared, slot, base_commit)
        finally:
            with _explain_os_errors(self.worktrees):
                shared.slots.give_back(slot)

    def objects(self, commits: Sequence[str], deadline: Deadline) -> ObjectStore:
        """The base clone's objects, with these commits fetched; raises `GitError`."""
        shared = self._shared
        if shared is None:
            raise RuntimeError("the repository must be prepared before it is read")
        for commit in commits:
            lock = shared.slots.lock(deadline)
            shared.clone.require_commit(commit, lock, deadline)
        return shared.clone.store

    def close(self) -> None:
        """Remove a randomised base clone; any other stays for the next start."""
        if self._shared is not None:
            self._shared.clone.store.close()
        self._shared = None
        if self._random is not None:
            self._random.remove()
            self._random = None

    def _assemble(self, remote: Remote) -> Shared:
        options = self._options
        clone = BaseClone(
            self._git,
            remote,
            self.base,
            branch=options.branch,
            depth=options.fetch_depth,
            job_branch_prefix=options.job_branch_prefix,
        )
        submodules = Submodules(
            clone.store, remote, self.worktrees / ".submodules", options.submodule_urls
        )
        return Shared(
            clone=clone,
            slots=Slots(clone.store, self.worktrees, options.clean_excludes, submodules=submodules),
            submodules=submodules,
            large_files=LargeFiles(clone.store, remote, enabled=options.enable_lfs),
            footprints=Footprints(clone.store),
            vectors=CommitVectors(clone.store),
            author=options.author,
        )


def _collect_garbage(shared: Shared, deadline: Deadline) -> None:
    """Drop what candidates that were refused have left, now and then, when nobody is at work."""
    if not shared.clone.is_to_collect:
        return
    with shared.slots.lock(deadline):
        if shared.clone.is_to_collect and shared.slots.are_all_free():
            shared.clone.collect(deadline)


@contextmanager
def _explain_os_errors(folder: Path, setting: str = "") -> Iterator[None]:
    """Raise `HostTrouble`, and `ConfigError` for a setting, when the file system refuses."""
    try:
        yield
    except OSError as error:
        kind = ConfigError if setting else HostTrouble
        raise kind(
            "the repository's folder cannot be used",
            setting=setting,
            target=str(folder),
            reason=str(error),
            fix="let the user of the worker write there, or choose another folder",
        ) from error
