"""What a failed git command means: who must do what about it."""

import re
from dataclasses import dataclass
from pathlib import Path

from loreley.errors import Fault, GitError, ServiceUnavailable
from loreley.host.children import Completed
from loreley.masking import masked

_TAIL_CHARACTERS = 1500
_ASK_THE_REMOTE = frozenset({"push", "fetch", "ls-remote", "lfs"})


class GitCommandFailed(GitError):
    """A git command ended with an exit code that is not an answer.

    ``stdout`` and ``stderr`` are the last part of what it printed, credentials masked.
    """

    def __init__(
        self, completed: Completed, cwd: Path, *, fix: str = "", fault: Fault | None = None
    ) -> None:
        self.argv = tuple(map(masked, completed.argv))
        self.cwd = cwd
        self.exit_code = completed.exit_code
        self.stdout, self.stderr = _tail(completed.stdout), _tail(completed.stderr)
        self.fault = fault or (
            Fault.REMOTE if _subcommand(self.argv) in _ASK_THE_REMOTE else Fault.HOST
        )
        printed = {"stderr": self.stderr, "stdout": self.stdout}
        super().__init__(
            f"git {_subcommand(self.argv)} failed",
            target=f"{' '.join(self.argv)[:1000]} (in {cwd})",
            reason="; ".join(
                [f"exit code {self.exit_code}", *(f"{n}: {t}" for n, t in printed.items() if t)]
            ),
            fix=fix,
        )


class RemoteUnavailable(GitCommandFailed, ServiceUnavailable):
    """The git remote did not answer: worth trying again later."""

    fault = Fault.REMOTE


class RemoteSilent(GitError, ServiceUnavailable):
    """The git remote did not answer in time: worth trying again later."""

    fault = Fault.REMOTE


@dataclass(frozen=True, slots=True)
class _Sign:
    """Words by which a cause is known."""

    pattern: re.Pattern[str]
    fix: str
    is_outage: bool = False
    fault: Fault | None = None  # None: the remote's where it was asked, else the host's


def _sign(pattern: str, fix: str, *, is_outage: bool = False, fault: Fault | None = None) -> _Sign:
    return _Sign(re.compile(pattern, re.IGNORECASE | re.MULTILINE), fix, is_outage, fault)


# The first that matches counts: git ends many failures with a general word about the remote.
_SIGNS = (
    _sign(
        r"host key verification failed|no .* host key is known",
        "the host's key is not known here, or is another by now: compare it with what the "
        "server's operator says, then `ssh-keyscan HOST >> ~/.ssh/known_hosts` as the worker's "
        "user; an old one is removed by `ssh-keygen -R HOST`",
    ),
    _sign(
        r"^(?!remote:).*(no space left on device|disk quota exceeded)",
        "free some disk space",
        fault=Fault.HOST,
    ),
    _sign(
        r"authentication failed|could not read (username|password)|permission denied \(|"
        r"terminal prompts disabled|invalid username or (password|token)|access denied|"
        r"requested url returned error: 40[13]",
        "give git access to the remote without a prompt: an ssh key of an agent, a credential "
        "helper, or a token in WORKER_REPO_REMOTE_URL",
    ),
    _sign(
        r"could not resolve host|failed to connect|couldn't connect|connection (refused|reset|"
        r"timed out|closed)|operation (timed out|too slow)|no route to host|"
        r"network is unreachable|unable to connect|returned error: (429|5\d\d)|"
        r"early eof|temporary failure in name resolution",
        "check the network and the address in WORKER_REPO_REMOTE_URL",
        is_outage=True,
    ),
    _sign(
        r"dubious ownership",
        "the repository belongs to another user: run "
        "`git config --global --add safe.directory <its path>` as the user of the worker",
    ),
    _sign(
        r"repository not found|does not appear to be a git repository|repository '.*' not found|"
        r"no such (file or directory|remote)|returned error: 404",
        "set WORKER_REPO_REMOTE_URL to an existing repository",
    ),
    _sign(
        r"remote missing object|object does not exist on the server|smudge filter lfs failed",
        "the remote lacks files that Git LFS keeps: upload them with `git lfs push --all`, or set "
        "WORKER_REPO_ENABLE_LFS=false to work on pointers",
    ),
    _sign(
        r"couldn't find remote ref|remote branch .* not found",
        "set WORKER_REPO_BRANCH to a branch of the remote",
    ),
    _sign(
        r"transport '.*' not allowed",
        "use an https, ssh, git or file URL as WORKER_REPO_REMOTE_URL",
    ),
    _sign(
        r"remote rejected|hook declined|protected branch|remote: (fatal|error):|"
        r"returned error: 4\d\d",
        "the remote refused the push: look at its message and its rules for branches",
    ),
    _sign(
        r"is corrupt|object file .* is empty|unable to read tree|missing (blob|tree)|bad object|"
        r"not a git repository",
        "if this stays so, stop the workers and delete the base clone (WORKER_REPO_WORKTREE): "
        "it is made anew",
    ),
    _sign(r"read-only file system|permission denied", "let the user of the worker write there"),
    _sign(r"unable to create '.*\.lock': file exists", "another git process is at work there"),
    _sign(r"unknown (option|switch)|is not a git command", "install a newer git"),
    # What is left when nobody says why: a server that was restarted or a connection that was cut.
    _sign(
        r"unexpected disconnect|remote end hung up|expected flush after|broken pipe|"
        r"could not read from remote repository|empty reply from server|transfer closed|"
        r"unexpected eof|ssl_error_syscall|http/2 stream",
        "check the network and the server of WORKER_REPO_REMOTE_URL",
        is_outage=True,
    ),
)


def failure(completed: Completed, cwd: Path) -> GitCommandFailed:
    """The error for a command that failed, with what to do about it where that is known."""
    text = completed.stderr.decode("utf-8", "replace") + completed.stdout.decode("utf-8", "replace")
    for sign in _SIGNS:
        if sign.pattern.search(text):
            kind = RemoteUnavailable if sign.is_outage else GitCommandFailed
            return kind(completed, cwd, fix=sign.fix, fault=sign.fault)
    return GitCommandFailed(completed, cwd)


def _tail(output: bytes) -> str:
    text = output[-2 * _TAIL_CHARACTERS :].decode("utf-8", "replace").strip()
    return masked(text)[-_TAIL_CHARACTERS:]


def _subcommand(argv: tuple[str, ...]) -> str:
    return next((word for word in argv[1:] if not word.startswith("-")), "")
