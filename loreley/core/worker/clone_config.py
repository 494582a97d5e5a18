"""The base clone's configuration: git obeys it, so nobody else may change it."""

import os
import re
from pathlib import Path

from loreley.core.git import Git
from loreley.core.git_failures import failure
from loreley.core.remote import Remote
from loreley.core.worker.disposal import delete
from loreley.errors import ConfigError

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

    def write(self, git_dir: Path, object_format: str) -> None:
        """Give a new repository the configuration of a clone that is Loreley's own."""
        (git_dir / "config").write_text(self._text(object_format), "utf-8")

    def require_same_remote(self) -> None:
        """Raise `ConfigError` unless a clone of the remote is there."""
        base = self._git_dir.parent
        if self._git_dir.is_symlink() or not (self._git_dir / "objects").is_dir():
            raise occupied(base, "its .git is not the folder of a repository")
        url = self._settings().get("remote.origin.url", "")
        try:
            is_same = Remote.parse(url).is_same_as(self._remote)
        except ConfigError:
            is_same = False
        if not is_same:
            shown = str(Remote(url)) if url else "no remote"
            raise occupied(base, f"it is a clone of {shown}, not of {self._remote}")

    @property
    def is_own(self) -> bool:
        """Whether Loreley made the clone, and may therefore delete it."""
        return self._settings().get("loreley.clone") == "true"

    def settle(self) -> None:
        """Take the configuration as it is for right; in a clone of our own it is set right."""
        settings = self._settings()
        if settings.get("loreley.clone") == "true":
            text = self._text(settings.get("extensions.objectformat", "sha1")).encode()
            if (self._git_dir / "config").read_bytes() != text:
                _replace(self._git_dir / "config", text)
        self._settled = self._guarded()

    def was_changed(self) -> bool:
        """Whether somebody has changed the configuration since `settle`."""
        guarded = self._guarded()
        if guarded == self._settled:
            return False
        is_only_config = (guarded | {"config": b""}) == (self._settled | {"config": b""})
        return not (is_only_config and self._differs_by_lfs_only())

    def restore(self) -> None:
        """Put back what `settle` found."""
        for name, content in self._settled.items():
            path = self._git_dir / name
            if name != "hooks" and _content(path) == content:
                continue
            if content is None:
                delete(path)
            elif name != "hooks":
                _replace(path, content)

    def _differs_by_lfs_only(self) -> bool:
        settled = self._git.run(
            *("config", "--file", "-", "--list", "-z"), stdin=self._settled["config"] or b""
        )
        return _without_lfs(_parsed(settled)) == _without_lfs(self._settings())

    def _settings(self) -> dict[str, str]:
        """All settings in the clone's own file; of several with one name the last."""
        path = self._git_dir / "config"
        completed = self._git.ask("config", "--file", str(path), "--list", "-z", "--no-includes")
        if completed.exit_code != 0:
            raise failure(completed, self._git_dir)
        return _parsed(completed.stdout)

    def _guarded(self) -> dict[str, bytes | None]:
        guarded = {name: _content(self._git_dir / name) for name in _GUARDED}
        hooks = self._git_dir / "hooks"  # Loreley runs none, but agents share them
        has_hooks = hooks.is_dir() and any(hooks.iterdir())
        return guarded | {"hooks": b"some" if has_hooks else None}

    def _text(self, object_format: str) -> str:
        url = self._remote.url.replace("\\", "\\\\").replace('"', '\\"')
        is_default = object_format == "sha1"
        extensions = "" if is_default else f"[extensions]\n\tobjectformat = {object_format}\n"
        return (
            "# Made and owned by Loreley: changes are undone.\n"
            f"[core]\n\trepositoryformatversion = {0 if is_default else 1}\n"
            "\tfilemode = true\n\tbare = false\n\tlogallrefupdates = false\n"
            f"{extensions}"
            f'[remote "origin"]\n\turl = "{url}"\n'
            "[lfs]\n\trepositoryformatversion = 0\n"
            "[loreley]\n\tclone = true\n"
        )


def _parsed(listing: bytes) -> dict[str, str]:
    entries = (entry.partition("\n") for entry in os.fsdecode(listing).split("\0")[:-1])
    return {name: value for name, _, value in entries}


def _without_lfs(settings: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if not _WRITTEN_BY_LFS.fullmatch(name)}


def _content(path: Path) -> bytes | None:
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
