"""Where the base clone stands: as it is set, or a folder for each remote and state folder."""

import hashlib
import re
from contextlib import suppress
from pathlib import Path

from loreley.config import Settings, expand_path
from loreley.errors import ConfigError
from loreley.git.remote import Remote

_CACHE = "~/.cache/loreley"
_OF_ALL_PROJECTS = "worker-repo"  # the default before each had its own
_ORIGIN = re.compile(r'^\[remote "origin"\]\n(?:\t.*\n)*?\turl = "?(.*?)"?$', re.MULTILINE)
_LONGEST_NAME = 40


def find_clone_folder(settings: Settings) -> Path:
    """The base clone's folder, absolute; whether it exists or not.

    A clone of the remote where all projects once had theirs goes on being used. Raises
    `ConfigError` for a path or a remote that cannot be used.
    """
    setting = "WORKER_REPO_WORKTREE"
    if settings.worker_repo_worktree is not None:
        return expand_path(setting, settings.worker_repo_worktree)
    cache = expand_path(setting, _CACHE)
    url = settings.worker_repo_remote_url
    if url is None:
        return cache / _OF_ALL_PROJECTS
    remote = Remote.parse(url.get_secret_value())
    if _is_clone_of(remote, cache / _OF_ALL_PROJECTS):
        return cache / _OF_ALL_PROJECTS
    state = settings.loreley_state_dir.resolve()
    digest = hashlib.sha256(f"{remote.identity}\0{state}".encode()).hexdigest()
    name = re.sub(r"[^A-Za-z0-9_.]+", "-", re.split("[/:]", remote.identity)[-1]).strip("-.")
    return cache / f"{name[:_LONGEST_NAME] or 'repository'}-{digest[:8]}"


def _is_clone_of(remote: Remote, folder: Path) -> bool:
    with suppress(OSError, UnicodeDecodeError, ConfigError):
        found = _ORIGIN.search((folder / ".git" / "config").read_text("utf-8"))
        return found is not None and Remote.parse(found[1]).is_same_as(remote)
    return False
