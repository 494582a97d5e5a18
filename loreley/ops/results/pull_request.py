"""A pull or merge request for a branch that was pushed, opened by the forge's own command."""

import os
import re
import shlex
import shutil
from dataclasses import dataclass
from urllib.parse import urlsplit

from loreley.config import environment_names
from loreley.core.sandbox.child_output import last_line, legible, one_line
from loreley.errors import ConfigError, LoreleyError
from loreley.git.commits import CommitMessage
from loreley.git.remote import Remote
from loreley.host import children
from loreley.host.deadline import Deadline

_SECONDS = 120.0
_SCP_LIKE = re.compile(r"^(?:[^@/:]+@)?(?P<host>[^/:]+):(?P<path>.+)$")
_EXISTS = re.compile(r"already exists", re.IGNORECASE)
_PROGRAMS = {"gh": "github", "glab": "gitlab"}  # with what their hosts are called


@dataclass(frozen=True, slots=True)
class Forge:
    """Where requests are opened, and by which program."""

    program: str
    host: str
    project: str  # its path, as in acme/pack

    @classmethod
    def of(cls, remote: Remote) -> "Forge":
        """The forge of a remote; raises `ConfigError` where no request can be opened there."""
        host, project = _split(remote.url)
        if not host or "/" not in project:
            raise _refusal(remote, "it is no project of a forge such as GitHub or GitLab")
        installed = [name for name in _PROGRAMS if shutil.which(name)]
        named = [name for name, forge in _PROGRAMS.items() if forge in host]
        usable = [name for name in installed if not named or name in named]
        if not usable:
            wanted = " or ".join(named or _PROGRAMS)
            raise _refusal(remote, f"there is no {wanted} on PATH", f"install {wanted} and log in")
        return cls(usable[0], host, project)

    def open_request(self, branch: str, base: str, message: CommitMessage) -> str:
        """Ask for ``branch`` to be merged into ``base``; what the program says, a URL as a rule.

        One that is open already stays. Raises `LoreleyError` where the program fails.
        """
        command = self._write_command(branch, base, message)
        ours = environment_names()
        kept = {name: value for name, value in os.environ.items() if name not in ours}
        quiet = {"GH_PROMPT_DISABLED": "1", "NO_PROMPT": "1", "NO_COLOR": "1"}
        done = children.capture(
            command,
            env=kept | quiet,
            deadline=Deadline.after(_SECONDS),
            stdin=message.body.encode(),
        )
        said = legible(done.stdout.decode(errors="replace")).strip()
        errors = legible(done.stderr.decode(errors="replace")).strip()
        if done.exit_code == 0:
            return last_line(said) or last_line(errors)
        if _EXISTS.search(errors):
            return one_line(errors)[:500]
        raise LoreleyError(
            "the branch is pushed, but no request was opened for it",
            target=f"{branch} at {self.host}/{self.project}",
            reason=f"{self.program}, exit code {done.exit_code}: {one_line(errors or said)[:500]}",
            fix=f"`{self.program} auth login` logs in; then try again with --force, or by hand: "
            f"{shlex.join(command[:-2])}",
        )

    def _write_command(self, branch: str, base: str, message: CommitMessage) -> tuple[str, ...]:
        title = ("--title", message.subject)
        if self.program == "gh":
            project = f"{self.host}/{self.project}"
            where = ("--repo", project, "--head", branch, "--base", base)
            return ("gh", "pr", "create", *where, *title, "--body-file", "-")
        project = f"https://{self.host}/{self.project}"
        where = ("--repo", project, "--source-branch", branch, "--target-branch", base)
        return ("glab", "mr", "create", *where, *title, "--yes", "--description", message.body)


def _split(url: str) -> tuple[str, str]:
    """Host and path of a remote; empty where it has no host."""
    if "://" in url:
        parts = urlsplit(url)
        host, path = (parts.hostname or "") if parts.scheme != "file" else "", parts.path
    else:
        match = _SCP_LIKE.match(url)
        host, path = (match["host"], match["path"]) if match else ("", "")
    return host.lower(), path.strip("/").removesuffix(".git")


def _refusal(remote: Remote, reason: str, fix: str = "") -> ConfigError:
    return ConfigError(
        "no request can be opened",
        setting="--pull-request",
        target=str(remote),
        reason=reason,
        fix=f"{fix + ', or ' if fix else ''}push it with --branch NAME and go on by hand",
    )
