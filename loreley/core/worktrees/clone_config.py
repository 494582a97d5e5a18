"""The base clone's configuration: git obeys it, so nobody else may change it."""

import os
import re
from pathlib import Path

from loreley.core.worktrees.removal import delete
from loreley.errors import ConfigError
from loreley.git.failures import failure
from loreley.git.git import Git
from loreley.git.remote import Remote

# What git reads beside the configuration that changes what a command does, or runs programs.
_GUARDED = (
    "config",
    "config.worktree",
    "info/attributes",
    "info/grafts",
    "objects/info/alternates",
    "objects/info/http-alternates",
)
_WRITTEN_BY_LFS = re.compile(r"lfs\.(repositoryformatversion|.*\.access|.*\.locksverify)")


class CloneConfig:
    """Recognises a clone of the remote and remembers its configuration to notice changes."""

    def __init__(self, git: Git, git_dir: Path, remote: Remote) -> None:
        self._git = git
        self._git_dir = git_dir
        self._remote = remote
        self._settled: dict[str, bytes | None] = {}
        self.is_own = False  # whether Loreley made the clone; known once it is settled

    def write(self, git_dir: Path, object_format: str) -> None:
        """Give a new repository the configuration of a clone that is Loreley's own."""
        (git_dir / "config").write_text(_format_config(self._remote.url, object_format), "utf-8")

    def require_same_remote(self) -> None:
        """Raise `ConfigError` unless a clone of the remote is there."""
        base = self._git_dir.parent
        if self._git_dir.is_symlink() or not (self._git_dir / "objects").is_dir():
            raise occupied(base, "its .git is not the folder of a repository")
        url = self._read_settings().get("remote.origin.url", "")
        try:
            is_same = Remote.parse(url).is_same_as(self._remote)
        except ConfigError:
            is_same = False
        if not is_same:
            shown = str(Remote(url)) if url else "no remote"
            raise occupied(base, f"it is a clone of {shown}, not of {self._remote}")

    def settle(self) -> None:
        """Take the configuration as it is for right; in a clone of our own it is set right.

        The caller has seen to it that it is a clone of the remote, however that is spelled.
        """
        settings = self._read_settings()
        self.is_own = settings.get("loreley.clone") == "true"
        if self.is_own:
            object_format = settings.get("extensions.objectformat", "sha1")
            text = _format_config(settings["remote.origin.url"], object_format).encode()
            self._settled = dict.fromkeys(_GUARDED) | {"config": text}
            self.restore()
        self._settled = self._read_guarded()

    def was_changed(self) -> bool:
        """Whether somebody has changed the configuration since `settle`."""
        guarded = self._read_guarded()
        if guarded == self._settled:
            return False
        is_only_config = (guarded | {"config": b""}) == (self._settled | {"config": b""})
        return not (is_only_config and self._differs_by_lfs_only())

    def restore(self) -> None:
        """Put back what `settle` found.

        Hooks that are new go, too: Loreley runs none, but jobs that do would share them. They
        are no reason for suspicion, since Git LFS installs some whenever it is used.
        """
        if self.is_own:
            delete(self._git_dir / "hooks")
        for name, content in self._settled.items():
            path = self._git_dir / name
            if _read_content(path) == content:
                continue
            if content is None:
                delete(path)
            else:
                _replace(path, content)

    def _differs_by_lfs_only(self) -> bool:
        settled = self._git.run(
            *("config", "--file", "-", "--list", "-z"), stdin=self._settled["config"] or b""
        )
        return _without_lfs(_parse_listing(settled)) == _without_lfs(self._read_settings())

    def _read_settings(self) -> dict[str, str]:
        """All settings in the clone's own file; of several with one name the last."""
        path = self._git_dir / "config"
        completed = self._git.ask("config", "--file", str(path), "--list", "-z", "--no-includes")
        if completed.exit_code != 0:
            raise failure(completed, self._git_dir)
        return _parse_listing(completed.stdout)

    def _read_guarded(self) -> dict[str, bytes | None]:
        return {name: _read_content(self._git_dir / name) for name in _GUARDED}


def _format_config(url: str, object_format: str) -> str:
    """The whole configuration of a clone that Loreley made."""
    quoted = url.replace("\\", "\\\\").replace('"', '\\"')
    is_default = object_format == "sha1"
    extensions = "" if is_default else f"[extensions]\n\tobjectformat = {object_format}\n"
    return (
        "# Made and owned by Loreley: changes are undone.\n"
        f"[core]\n\trepositoryformatversion = {0 if is_default else 1}\n"
        "\tfilemode = true\n\tbare = false\n\tlogallrefupdates = false\n"
        f"{extensions}"
        f'[remote "origin"]\n\turl = "{quoted}"\n'
        "[lfs]\n\trepositoryformatversion = 0\n"
        "[loreley]\n\tclone = true\n"
    )


def _parse_listing(listing: bytes) -> dict[str, str]:
    entries = (entry.partition("\n") for entry in os.fsdecode(listing).split("\0")[:-1])
    return {name: value for name, _, value in entries}


def _without_lfs(settings: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if not _WRITTEN_BY_LFS.fullmatch(name)}


def _read_content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(f"{path.name}.loreley")
    fresh.unlink(missing_ok=True)
    fresh.write_bytes(content)
    fresh.replace(path)


def occupied(base: Path, reason: str) -> ConfigError:
    return ConfigError(
        "the folder of the base clone holds something else",
        setting="WORKER_REPO_WORKTREE",
        target=str(base),
        reason=reason,
        fix="set WORKER_REPO_WORKTREE to a folder that does not exist yet, "
        "or move away what is there",
    )
