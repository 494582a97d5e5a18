"""How git is called, and what it is asked about a remote; nobody else starts it."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from secrets import token_hex
from threading import Timer
from typing import TypedDict, Unpack

from loguru import logger

from loreley.errors import CommandFailed, ConfigError, GitError, TimeLimitReached
from loreley.git.environment import Config, bound_ssh, closed_environment, open_environment
from loreley.git.failures import GitCommandFailed, RemoteSilent, failure
from loreley.git.remote import Remote
from loreley.host.children import Completed, capture
from loreley.host.conversation import Conversation
from loreley.host.deadline import Deadline
from loreley.host.tempdirs import temporary_folder

OLDEST_VERSION = (2, 32)  # GIT_CONFIG_GLOBAL
_ASKING_SECONDS = 120.0  # for a question to the remote that moves no objects
_SLOW_SECONDS = 5.0  # that a remote may take before that is told
_CONFIG_SECONDS = 10.0  # for a question to the user's configuration
_SHA1_DIGITS = 40
_DELETED_AT_ONCE = 500  # branches named in one command line


class CallOptions(TypedDict, total=False):
    """How one command is run, beside its arguments."""

    deadline: Deadline
    remote: Remote  # the command talks to it, with the user's configuration and keys
    timeout_seconds: float  # instead of the executable's own; zero or less: none
    cwd: Path
    config: Config
    environment: Mapping[str, str]
    stdin: bytes


@dataclass(frozen=True, slots=True)
class Git:
    """A git executable, called in one of two ways.

    *Closed*, for whatever touches files or objects: no configuration but the repository's own,
    a handful of environment variables. *Open*, for what talks to a `Remote` and touches no
    checkout: as the user of the process would call it, with their credential helpers, ssh keys
    and URL rewrites, but without Loreley's own settings. In both no hook runs, nothing is signed,
    nothing prompts, nothing is collected in the background and ``ext::`` is refused.
    """

    binary: str = "git"
    timeout_seconds: float = 1800.0
    inherited: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    def ask(self, *arguments: str, **options: Unpack[CallOptions]) -> Completed:
        """Run ``git <arguments>``, open when a remote is given, and return whatever it says.

        Raises `ConfigError` when there is no such executable, `GitError` when it takes too long
        or prints too much, and what the deadline raises.
        """
        deadline, remote = options.get("deadline", Deadline()), options.get("remote")
        timeout_seconds = options.get("timeout_seconds", self.timeout_seconds)
        try:
            with _told_when_slow(remote):
                return capture(
                    [self._executable, *arguments],
                    env=self._environment(options),
                    deadline=deadline.within(timeout_seconds),
                    cwd=options.get("cwd", Path("/")),
                    stdin=options.get("stdin", b""),
                )
        except TimeLimitReached as error:
            if deadline.remaining_seconds <= 0:
                raise
            kind = RemoteSilent if remote else GitError
            raise kind(
                "git took too long and was stopped",
                target=str(remote) if remote else " ".join(arguments)[:500],
                reason=f"no end after {timeout_seconds:.0f} s",
            ) from error
        except CommandFailed as error:
            if shutil.which(self._executable) is None:
                raise self._unusable(f"{self.binary!r} is not an executable file") from error
            raise GitError(
                "git could not be run", target=" ".join(arguments)[:500], reason=error.summary
            ) from error

    def run(self, *arguments: str, **options: Unpack[CallOptions]) -> bytes:
        """What ``git <arguments>`` prints; raises like `ask`, and `GitError` when it fails.

        The error is a `ServiceUnavailable` too where the remote could not be reached.
        """
        completed = self.ask(*arguments, **options)
        if completed.exit_code != 0:
            raise failure(completed, options.get("cwd", Path("/")))
        return completed.stdout

    def converse(self, *arguments: str, cwd: Path) -> Conversation:
        """A ``git <arguments>``, closed, that is to answer many questions."""
        return Conversation([self._executable, *arguments], self._environment({}), cwd)

    def require_version(self) -> tuple[int, ...]:
        """The version; raises `ConfigError` when it is no git or one too old to be safe."""
        completed = self.ask("version")
        match = re.match(rb"git version (\d+(?:\.\d+)*)", completed.stdout)
        if completed.exit_code != 0 or match is None:
            raise self._unusable(f"{self.binary!r} does not answer like git")
        version = tuple(map(int, match[1].split(b".")))
        if version < OLDEST_VERSION:
            raise self._unusable(f"git {match[1].decode()} is too old")
        return version

    def remote_head(self, url: str | Remote, branch: str, deadline: Deadline | None = None) -> str:
        """The commit at the head of the remote's ``branch``.

        Raises `GitError` when the remote cannot be read and `ConfigError`, with the branches
        there are, when it has no such branch.
        """
        remote = _remote(url)
        heads = self._heads(remote, deadline, f"refs/heads/{branch}")
        if branch in heads:
            return heads[branch]
        raise _no_such_branch(remote, branch, sorted(self._heads(remote, deadline)))

    def list_remote_branches(
        self, url: str | Remote, prefix: str = "", deadline: Deadline | None = None
    ) -> dict[str, str]:
        """The commits at the heads of the branches below the folder ``prefix``, or of all."""
        pattern = f"refs/heads/{prefix.rstrip('/')}/*" if prefix else "refs/heads/*"
        heads = self._heads(_remote(url), deadline, pattern)
        folder = f"{prefix.rstrip('/')}/" if prefix else ""
        return {name: commit for name, commit in heads.items() if name.startswith(folder)}

    def delete_remote_branches(
        self, url: str | Remote, names: Sequence[str], deadline: Deadline | None = None
    ) -> None:
        """Delete these branches of the remote; one that is not there counts as deleted.

        Some hundred at a time, each time all of them at once where the remote can do that: one by
        one it may write all its packed refs anew for each.
        """
        remote, within = _remote(url), deadline or Deadline()
        present = self._heads(remote, within)
        deleted = [f":refs/heads/{name}" for name in names if name in present]
        if not deleted:
            return
        with temporary_folder() as folder:
            self.init_bare(folder, next(iter(present.values())), deadline=within)
            for start in range(0, len(deleted), _DELETED_AT_ONCE):
                some = deleted[start : start + _DELETED_AT_ONCE]
                push = [f"--git-dir={folder}", "push", "--quiet", "--no-verify"]
                where = ["--", remote.url, *some]
                try:
                    self.run(*push, "--atomic", *where, remote=remote, deadline=within)
                except GitCommandFailed:
                    self.run(*push, *where, remote=remote, deadline=within)

    def try_push(
        self, url: str | Remote, prefix: str, like: str, deadline: Deadline | None = None
    ) -> None:
        """Push a branch of its own below ``prefix`` and delete it again; raises `GitError`.

        Its empty commit has an id of the same kind as ``like``. Where the remote takes branches
        and deletes none, the branch stays.
        """
        remote, within = _remote(url), deadline or Deadline()
        branch = f"refs/heads/{prefix}/trial-{token_hex(4)}"
        person = {
            f"GIT_{role}_{part}": "loreley"
            for role in ("AUTHOR", "COMMITTER")
            for part in ("NAME", "EMAIL")
        }
        with temporary_folder() as folder:
            self.init_bare(folder, like, within)
            here = f"--git-dir={folder}"
            tree = self.run(here, "mktree", deadline=within).decode().strip()
            made = self.run(
                *(here, "commit-tree", tree, "-m", "Try to push"),
                environment=person,
                deadline=within,
            )
            push = (here, "push", "--porcelain", "--no-verify", "--", remote.url)
            refspec = f"{made.decode().strip()}:{branch}"
            self.run(*push, refspec, remote=remote, deadline=within)
            with suppress(GitError):
                self.run(*push, f":{branch}", remote=remote, deadline=within)

    def init_bare(self, folder: Path, commit: str, deadline: Deadline | None = None) -> None:
        """Make an empty repository at ``folder`` whose ids are of the same kind as ``commit``."""
        self.run(
            *("init", "--quiet", "--bare", "--template="),
            *(f"--object-format={object_format(commit)}", "--", str(folder)),
            deadline=deadline or Deadline(),
        )

    def _heads(
        self, remote: Remote, deadline: Deadline | None, pattern: str = "refs/heads/*"
    ) -> dict[str, str]:
        lines = self.run(
            *("ls-remote", "--heads", "--", remote.url, pattern),
            remote=remote,
            deadline=deadline or Deadline(),
            timeout_seconds=_ASKING_SECONDS,
        )
        pairs = (line.partition("\t") for line in lines.decode("utf-8", "replace").splitlines())
        return {name.removeprefix("refs/heads/"): commit for commit, _, name in pairs}

    @property
    def _executable(self) -> str:
        return str(Path(self.binary).expanduser().absolute()) if "/" in self.binary else self.binary

    def _environment(self, options: CallOptions) -> dict[str, str]:
        config, remote = options.get("config", ()), options.get("remote")
        if remote is None:
            environment = closed_environment(self.inherited, config)
        else:
            environment = open_environment(self.inherited, remote, config)
            if not remote.folder.startswith("/"):
                command = _read_ssh_command(self._executable, tuple(self.inherited.items()))
                environment |= bound_ssh(self.inherited, command)
        return environment | dict(options.get("environment", {}))

    def _unusable(self, reason: str) -> ConfigError:
        oldest = ".".join(map(str, OLDEST_VERSION))
        return ConfigError(
            "git cannot be used",
            setting=f"WORKER_REPO_GIT_BIN={self.binary}",
            reason=reason,
            fix=f"install git {oldest} or newer, or set WORKER_REPO_GIT_BIN to it",
        )


@contextmanager
def _told_when_slow(remote: Remote | None) -> Iterator[None]:
    """Log that the remote is waited for, when that takes long."""
    if remote is None:
        yield
        return
    words = "git waits for {} since {:.0f} s"
    timer = Timer(_SLOW_SECONDS, logger.warning, (words, str(remote), _SLOW_SECONDS))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@lru_cache(maxsize=8)
def _read_ssh_command(git: str, inherited: tuple[tuple[str, str], ...]) -> str:
    """What the user's configuration has for ssh; empty where it has nothing."""
    asked = capture(
        [git, "config", "--get", "core.sshCommand"],
        env=open_environment(dict(inherited), Remote("/")),
        deadline=Deadline.after(_CONFIG_SECONDS),
        cwd=Path("/"),
    )
    return asked.stdout.decode(errors="replace").strip()


def object_format(commit: str) -> str:
    """The kind of ids that a repository with this one has, as git names it."""
    return "sha256" if len(commit) > _SHA1_DIGITS else "sha1"


def _remote(url: str | Remote) -> Remote:
    return url if isinstance(url, Remote) else Remote.parse(url)


def _no_such_branch(remote: Remote, branch: str, present: Sequence[str]) -> ConfigError:
    if not present:
        return ConfigError(
            "the remote has no commit yet",
            setting="WORKER_REPO_REMOTE_URL",
            target=str(remote),
            reason="it is an empty repository",
            fix=f"push a first commit to its branch {branch!r}",
        )
    some = ", ".join(present[:8]) + (", …" if len(present) > 8 else "")
    return ConfigError(
        f"the remote has no branch {branch!r}",
        setting=f"WORKER_REPO_BRANCH={branch}",
        target=str(remote),
        reason=f"its branches are {some}",
        fix="set WORKER_REPO_BRANCH to one of them",
    )
