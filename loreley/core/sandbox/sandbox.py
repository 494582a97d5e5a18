"""What a child may see, use and reach, as strictly as this host can enforce it."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from loreley.config import Settings
from loreley.core.sandbox import bubblewrap
from loreley.core.sandbox.confinement import Confinement
from loreley.core.sandbox.own_name import FIX, find_unknown_name
from loreley.core.sandbox.tools import Tools
from loreley.errors import CommandFailed, ConfigError, TimeLimitReached
from loreley.host import children
from loreley.host.deadline import Deadline
from loreley.host.disk_use import DiskUse
from loreley.host.tempdirs import temporary_folder

_MEBIBYTE = 1024 * 1024
_TRIAL_SECONDS = 20.0
_OPEN_FILES = 4096
_FIX = "allow unprivileged user namespaces; in a container also their system calls"
_DIES_WITH_PARENT = ("--pdeathsig", "KILL")  # when the thread that started it ends


class Level(StrEnum):
    """How children are confined, strongest first."""

    BUBBLEWRAP = "bubblewrap"  # sees only what it was given; no network, no other processes
    NAMESPACES = "namespaces"  # no network, no other processes; but this user's files
    LIMITS = "limits"  # memory and file size only


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a level does not work on this host."""

    level: Level
    reason: str
    fix: str

    def __str__(self) -> str:
        return f"no {self.level}: {self.reason} ({self.fix})"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A way to confine children. Start them from a thread that outlives them: they die with it."""

    level: Level
    tools: Tools
    obstacles: tuple[Obstacle, ...] = ()  # to the stronger levels
    processes: int = 0  # at once in a child, its threads counted too; 0: no limit
    disk_bytes: int = 0  # that a child and all it starts may write, all files together; 0: no limit

    def command(self, argv: Sequence[str], confinement: Confinement) -> list[str]:
        """The command line that runs ``argv`` confined.

        The confined command has the exit code of ``argv``, or 128 and the number of the signal
        that ended it.
        """
        script = _write_limits_script(confinement, self.processes if self._counts_processes else 0)
        # A name of its own, which takes rights in the new namespace that are given up again.
        renaming = 'hostname localhost 2>/dev/null; exec "$@"'
        renamed = [self.tools.shell, "-c", renaming, "sh"] if self.tools.setpriv else []
        limited = [self.tools.shell, "-c", script, "sh", *argv]
        match self.level:
            case Level.BUBBLEWRAP:
                return [*self._bubblewrap(confinement), *limited]
            case Level.NAMESPACES:
                namespaces = self._namespaces(confinement)
                return [
                    *self._setpriv(*_DIES_WITH_PARENT),
                    *namespaces,
                    *renamed,
                    *self._setpriv(*_list_privilege_options(is_namespace=True)),
                    *limited,
                ]
            case Level.LIMITS:
                return [*self._setpriv(*_DIES_WITH_PARENT, *_list_privilege_options()), *limited]

    def watch_disk(self, confinement: Confinement) -> DiskUse:
        """What a child writes from now on to the folders that it was granted."""
        return DiskUse(confinement.writable, self.disk_bytes)

    def describe(self) -> str:
        """One line: what children are kept from, and what is missing for more."""
        is_root = os.geteuid() == 0
        files = "every file of this host, as this user is root" if is_root else "this user's files"
        promise = {
            Level.BUBBLEWRAP: "children see only what they were given",
            Level.NAMESPACES: f"children can read and change {files}",
            Level.LIMITS: f"children can use the network, end processes, read and change {files}",
        }[self.level]
        warnings = []
        if self.processes and is_root and self.level is Level.BUBBLEWRAP:
            warnings.append("root may start any number of processes")
        if not self._has_own_name and (name := find_unknown_name()):
            warnings.append(
                f"the host's own name, {name!r}, does not resolve, and evaluators that ask for it "
                f"fail: {FIX}"
            )
        return "; ".join([f"sandbox {self.level}: {promise}", *warnings, *map(str, self.obstacles)])

    @property
    def _has_own_name(self) -> bool:
        """Whether a child's host is called otherwise, so that its name resolves."""
        has_namespace = self.level is Level.NAMESPACES and self.tools.setpriv is not None
        return self.level is Level.BUBBLEWRAP or has_namespace

    @property
    def _counts_processes(self) -> bool:
        """Whether Linux counts the processes of a child alone; root's it never limits."""
        return self.level is not Level.LIMITS and os.geteuid() != 0

    def _bubblewrap(self, confinement: Confinement) -> list[str]:
        view = bubblewrap.arguments(confinement, sized=self.tools.bwrap_sizes)
        return [self.tools.bwrap or "bwrap", *view]

    def _namespaces(self, confinement: Confinement) -> list[str]:
        network = [] if confinement.network else ["--net"]
        own = ["--user", "--map-current-user", "--ipc", "--uts", "--pid", *network]
        kept = ["--keep-caps"] if self.tools.setpriv else []
        kill = [*kept, "--kill-child=SIGKILL", "--mount-proc", "--"]
        return [self.tools.unshare or "unshare", *own, *kill]

    def _setpriv(self, *options: str) -> list[str]:
        return [self.tools.setpriv, *options, "--"] if self.tools.setpriv else []


@lru_cache(maxsize=1)
def probe() -> Sandbox:
    """The strongest sandbox that works on this host, found once per process by trying."""
    first, *others = Tools.on(os.environ.get("PATH", os.defpath))
    found = strongest(first)
    for tools in others:
        if found.level is not Level.BUBBLEWRAP and not obstacle_to(
            sandbox := Sandbox(Level.BUBBLEWRAP, tools)
        ):
            return sandbox
    return found


def require_sandbox(settings: Settings) -> Sandbox:
    """The sandbox that the settings ask for.

    Raises `ConfigError` where it does not work, and for root where the host offers no bubblewrap
    and the settings do not name what it does offer.
    """
    name = settings.worker_sandbox
    processes = settings.worker_sandbox_max_processes
    disk_bytes = settings.worker_sandbox_max_disk_mb * _MEBIBYTE
    if name == "auto":
        sandbox = replace(probe(), processes=processes, disk_bytes=disk_bytes)
        if sandbox.level is not Level.BUBBLEWRAP and os.geteuid() == 0:
            raise _refuse_root(sandbox)
        return sandbox
    sandbox = Sandbox(Level(name), probe().tools, processes=processes, disk_bytes=disk_bytes)
    if obstacle := obstacle_to(sandbox):
        raise ConfigError(
            f"children cannot be confined by {name}",
            setting=f"WORKER_SANDBOX={name}",
            reason=obstacle.reason,
            fix=f"{obstacle.fix}, or set it to auto",
        )
    return sandbox


def strongest(tools: Tools) -> Sandbox:
    """The strongest sandbox that ``tools`` make possible."""
    obstacles: list[Obstacle] = []
    for level in (Level.BUBBLEWRAP, Level.NAMESPACES):
        obstacle = obstacle_to(Sandbox(level, tools))
        if obstacle is None:
            return Sandbox(level, tools, tuple(obstacles))
        obstacles.append(obstacle)
    return Sandbox(Level.LIMITS, tools, tuple(obstacles))


def obstacle_to(sandbox: Sandbox) -> Obstacle | None:
    """What keeps ``sandbox`` from running this Python, found by trying; None when nothing does."""
    level, tools = sandbox.level, sandbox.tools
    if level is Level.BUBBLEWRAP and tools.bwrap is None:
        return Obstacle(level, "there is no bwrap", "apt install bubblewrap")
    if level is Level.NAMESPACES and tools.unshare is None:
        return Obstacle(level, "unshare is not on PATH", "apt install util-linux")
    with temporary_folder() as scratch:
        confinement = Confinement(cwd=scratch, writable=(scratch,))
        try:
            completed = children.capture(
                sandbox.command([sys.executable, "-I", "-c", "open('x', 'w')"], confinement),
                env={},
                cwd=scratch,
                deadline=Deadline.after(_TRIAL_SECONDS),
            )
        except (CommandFailed, TimeLimitReached) as error:
            return Obstacle(level, error.summary, _FIX)
    if completed.exit_code == 0:
        return None
    said = completed.stderr.decode(errors="replace").strip() or f"exit {completed.exit_code}"
    return Obstacle(level, said.splitlines()[-1], _find_fix())


def _refuse_root(sandbox: Sandbox) -> ConfigError:
    """Candidates are code that nobody has read, and every file of the host is root's."""
    obstacle = sandbox.obstacles[0]
    return ConfigError(
        "candidates would run as root, and not in bubblewrap",
        setting="WORKER_SANDBOX=auto",
        reason=sandbox.describe(),
        fix=f"take another user, or make bubblewrap work ({obstacle.fix}); where the host may be "
        f"lost, as in a container of its own, set WORKER_SANDBOX={sandbox.level}",
    )


def _find_fix() -> str:
    for switch, forbidding, allowing in (
        ("kernel/unprivileged_userns_clone", "0", "1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
        ("user/max_user_namespaces", "0", "10000"),
    ):
        file = Path("/proc/sys", switch)
        if file.exists() and file.read_text().strip() == forbidding:
            return f"sysctl {switch.replace('/', '.')}={allowing}"
    return _FIX


def _list_privilege_options(*, is_namespace: bool = False) -> list[str]:
    """Options of setpriv: no capabilities, whether root's or of a user namespace, and no way up."""
    kept = ["--ambient-caps=-all"] if is_namespace else []
    has_some = is_namespace or os.geteuid() == 0
    dropped = [*kept, "--bounding-set=-all", "--inh-caps=-all"] if has_some else []
    return ["--no-new-privs", *dropped]


def _write_limits_script(confinement: Confinement, processes: int) -> str:
    """A shell script that limits itself and becomes its arguments; the units are ulimit's."""
    limits = {"c": 0, "n": _OPEN_FILES}
    if confinement.memory_bytes:
        limits["v"] = confinement.memory_bytes // 1024
    if confinement.file_size_bytes:
        limits["f"] = confinement.file_size_bytes // 512
    # A limit that cannot be raised is one that is stricter already.
    commands = [f"ulimit -{letter} {value} 2>/dev/null" for letter, value in limits.items()]
    if processes:  # by bash's letter, or by that of dash
        commands.append(f"ulimit -u {processes} 2>/dev/null || ulimit -p {processes} 2>/dev/null")
    return "; ".join([*commands, 'exec "$@"'])
