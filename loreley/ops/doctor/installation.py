"""Whether this host can carry a run: its programs, its sandbox, its disks and its settings."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from loreley.config import Role, Settings, expand_path
from loreley.core.sandbox.sandbox import Level, require_sandbox
from loreley.errors import ConfigError, Problem
from loreley.git.clone_folder import find_clone_folder
from loreley.git.git import Git
from loreley.ops.doctor.findings import Check, Finding, Verdict, all_hold, report_error

_GIBIBYTE = 2**30
_SCARCE_BYTES, _LOW_BYTES = _GIBIBYTE // 2, 5 * _GIBIBYTE


def host_checks(settings: Settings, invalid: Sequence[Problem]) -> list[Check]:
    """The checks of what needs no service; ``invalid`` is what is wrong with single settings."""
    return [
        *_make_settings_checks(settings, invalid),
        Check("python", _check_python),
        Check("git", lambda: _check_git(settings)),
        Check("sandbox", lambda: _check_sandbox(settings)),
        Check("folders", lambda: _check_folders(settings)),
        Check("disk space", lambda: _check_disk_space(settings)),
    ]


def _make_settings_checks(settings: Settings, invalid: Sequence[Problem]) -> Iterator[Check]:
    """One for each problem, as each is mended by itself."""
    named = {problem.setting.partition("=")[0] for problem in invalid}
    of_roles = [problem for role in Role for problem in settings.problems(role)]
    missing = [each for each in dict.fromkeys(of_roles) if each.setting not in named]
    findings = [report_error(ConfigError.of([problem])) for problem in (*invalid, *missing)]
    fine = Finding(Verdict.GOOD, "valid, and enough for a scheduler and a worker")
    for finding in findings or [fine]:
        yield Check("settings", partial(_same, finding))


def _same(finding: Finding) -> Finding:
    return finding


def _check_python() -> Finding:
    seen = f"{platform.python_implementation()} {platform.python_version()} at {sys.executable}"
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        return Finding(
            Verdict.WARNING,
            f"{seen}; it may not keep compiled modules: starts take two to three times as long",
            "unset PYTHONDONTWRITEBYTECODE",
        )
    return Finding(Verdict.GOOD, seen)


def _check_git(settings: Settings) -> Finding:
    git = Git(settings.worker_repo_git_bin)
    version = ".".join(map(str, git.require_version()))
    if settings.worker_repo_enable_lfs and git.ask("lfs", "version").exit_code != 0:
        raise ConfigError(
            "Git LFS is not installed",
            setting="WORKER_REPO_ENABLE_LFS=true",
            reason=f"git {version} knows no command lfs",
            fix="install git-lfs, or unset WORKER_REPO_ENABLE_LFS",
        )
    return Finding(Verdict.GOOD, f"git {version}")


def _check_sandbox(settings: Settings) -> Finding:
    sandbox = require_sandbox(settings)
    if sandbox.level is Level.BUBBLEWRAP:
        return Finding(Verdict.GOOD, sandbox.describe())
    fix = sandbox.obstacles[0].fix if sandbox.obstacles else "set WORKER_SANDBOX to auto"
    return Finding(Verdict.WARNING, sandbox.describe(), fix)


def _check_folders(settings: Settings) -> Finding:
    unusable = [
        f"{name}: {reason}"
        for name, folder in _list_places(settings)
        if (reason := _objection_to(folder))
    ]
    return all_hold(
        unusable,
        good="all can be written to",
        fix="let this user write there, or set these to other folders",
    )


def _check_disk_space(settings: Settings) -> Finding:
    free = {name: _measure_free_bytes(folder) for name, folder in _list_places(settings)}
    least = min(free, key=lambda name: free[name])
    seen = f"{free[least] / _GIBIBYTE:.1f} GiB free for {least}"
    if free[least] >= _LOW_BYTES:
        return Finding(Verdict.GOOD, f"at least {seen}")
    verdict = Verdict.BAD if free[least] < _SCARCE_BYTES else Verdict.WARNING
    return Finding(verdict, f"only {seen}", "make room, or set it to another disk")


def _list_places(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Where Loreley writes, by the setting that says so."""
    yield "LORELEY_STATE_DIR", settings.loreley_state_dir.absolute()
    base = find_clone_folder(settings)
    yield "WORKER_REPO_WORKTREE", base
    yield "LOGS_BASE_DIR", expand_path("LOGS_BASE_DIR", settings.logs_base_dir or ".") / "logs"
    yield "TMPDIR", Path(tempfile.gettempdir())


def _objection_to(folder: Path) -> str:
    """Why the folder cannot be written to or made; empty when it can."""
    standing = _find_existing(folder)
    if not standing.is_dir():
        return f"{standing} is no folder"
    if not os.access(standing, os.W_OK | os.X_OK):
        return f"{standing} is not writable"
    return ""


def _measure_free_bytes(folder: Path) -> int:
    return shutil.disk_usage(_find_existing(folder)).free


def _find_existing(folder: Path) -> Path:
    """The folder, or what of the way to it exists."""
    return next(path for path in (folder, *folder.parents) if os.path.lexists(path))
