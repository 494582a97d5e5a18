"""What a commit says of its submodules, and from where they may be fetched."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loreley.errors import ConfigError
from loreley.git.objects import GITLINK_MODE, ObjectStore
from loreley.git.remote import Remote

_KEY = re.compile(r"submodule\.(?P<name>.+)\.(?P<what>path|url)", re.DOTALL)
_UNSETTLED = re.compile(r"(?:^|[/:\\])\.{1,2}(?:[/\\]|$)|%2e", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Declared:
    """A submodule as a commit holds it; ``url`` may be relative to where the commit is from."""

    path: str
    commit: str
    url: str


def read_declared(store: ObjectStore, commit: str) -> Sequence[Declared]:
    """The submodules of a commit, as far as its ``.gitmodules`` says where they are from."""
    links = [entry for entry in store.folders(commit) if entry.mode == GITLINK_MODE]
    urls = _read_urls(store, commit) if links else {}
    return [
        Declared(entry.path, entry.object_id, urls[entry.path])
        for entry in links
        if entry.path in urls
    ]


def settle_remote(url: str, parent: Remote, allowed: Sequence[str]) -> Remote:
    """The remote of a submodule; raises `ConfigError` unless one of the prefixes allows it.

    The credentials of ``parent`` are used on its own server only.
    """
    remote = Remote.parse(_resolve(url, parent.url))
    if not is_allowed(remote.url, allowed):
        raise ConfigError(
            "a submodule's remote is not among those that are allowed",
            setting="WORKER_REPO_SUBMODULE_URLS",
            target=str(remote),
            reason="it begins with none of " + (", ".join(allowed) or "them"),
            fix=f"add {remote}, or a folder above it, if you trust it",
        )
    is_same_server = _server_of(remote.url) == _server_of(parent.url)
    if is_same_server and not (remote.username or remote.password):
        return Remote(remote.url, parent.username, parent.password)
    return remote


def is_allowed(url: str, allowed: Sequence[str]) -> bool:
    """Whether a URL is one of the prefixes, or lies below one."""
    if _UNSETTLED.search(url):
        return False
    bare = url.rstrip("/").removesuffix(".git")
    return any(
        bare == prefix.rstrip("/").removesuffix(".git")
        or url.startswith(prefix if prefix.endswith(("/", ":")) else f"{prefix}/")
        for prefix in allowed
        if prefix.strip("/")
    )


def _read_urls(store: ObjectStore, commit: str) -> Mapping[str, str]:
    """The URL of each path in the commit's ``.gitmodules``."""
    listing = store.git.ask(
        *(f"--git-dir={store.git_dir}", "config", "--blob", f"{commit}:.gitmodules"),
        *("--list", "-z"),
        cwd=store.git_dir,
    )
    found: dict[str, dict[str, str]] = {}
    for line in os.fsdecode(listing.stdout).split("\0") if listing.exit_code == 0 else ():
        key, _, value = line.partition("\n")
        if match := _KEY.fullmatch(key):
            found.setdefault(match["name"], {})[match["what"]] = value
    return {
        each["path"].rstrip("/"): each["url"]
        for each in found.values()
        if each.get("path") and each.get("url")
    }


def _resolve(url: str, parent: str) -> str:
    """A URL as git reads it: ``../x`` begins at the URL of the repository that says so."""
    if not url.startswith(("./", "../")):
        return url
    base, separator = parent.rstrip("/"), "/"
    while url.startswith(("./", "../")):
        if url.startswith("../"):
            at = base.rfind("/")
            at, separator = (at, "/") if at >= 0 else (base.rfind(":"), ":")
            base = base[: max(0, at)]
        url = url.partition("/")[2]
    return f"{base}{separator}{url}"


def _server_of(url: str) -> str:
    """Scheme and host of a URL over http; nothing for others, which need no password from us."""
    scheme, mark, rest = url.partition("://")
    is_http = bool(mark) and scheme.lower() in ("http", "https")
    return f"{scheme}://{rest.partition('/')[0]}".lower() if is_http else ""
