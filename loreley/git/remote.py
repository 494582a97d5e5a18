"""The address of a git remote, and its password kept out of sight; pure but for `~` and `$NAME`."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from loreley.errors import ConfigError
from loreley.masking import masked

_SCHEMES = frozenset({"http", "https", "ssh", "git", "file", "git+ssh", "ssh+git"})
_SCHEME = re.compile(r"^(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://")
_REMOTE_HELPER = re.compile(r"^[A-Za-z0-9]+::")
_SCP_LIKE = re.compile(r"^[^/:]+:")

# Git asks this for the password; the values are in its environment, where `ps` does not look.
_HELPER = (
    '!f() { test "$1" = get && '
    'printf \'username=%s\\npassword=%s\\n\' "$LORELEY_GIT_USERNAME" "$LORELEY_GIT_PASSWORD"; '
    "}; f"
)


@dataclass(frozen=True, slots=True)
class Remote:
    """A git remote. ``url`` holds no password, so it may stand in a configuration or a command."""

    url: str
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str) -> "Remote":
        """Read a URL, an scp-like name or a path; raises `ConfigError` for what git must not try.

        Paths become absolute, so that they mean the same from every folder.
        """
        if not text.strip() or not text.isprintable() or text.startswith("-"):
            raise _refusal(text, "empty, or not a URL, scp-like name or path")
        if _REMOTE_HELPER.match(text):
            raise _refusal(text, "remote helpers (`name::…`) may run any command")
        scheme = _SCHEME.match(text)
        if scheme is None:
            return cls(text if _is_scp_like(text) else _make_absolute(text))
        if scheme["scheme"].lower() not in _SCHEMES:
            raise _refusal(text, f"the scheme {scheme['scheme']!r} is not supported")
        if scheme["scheme"].lower() in {"http", "https"}:
            return cls._parse_http(text)
        return cls(text)

    @classmethod
    def _parse_http(cls, text: str) -> "Remote":
        try:
            parts = urlsplit(text)
        except ValueError as error:
            raise _refusal(text, str(error)) from None
        userinfo, _, host = parts.netloc.rpartition("@")
        if not host:
            raise _refusal(text, "the URL names no host")
        username, _, password = userinfo.partition(":")
        url = urlunsplit(parts._replace(netloc=host))
        remote = cls(url, unquote(username), unquote(password))
        if not (remote.username + remote.password).isprintable() and userinfo:
            raise _refusal(text, "the credentials hold control characters")
        return remote

    def __str__(self) -> str:
        """The remote in words that may be shown: no credentials."""
        return masked(self.url)

    def is_same_as(self, other: "Remote") -> bool:
        """Whether both name one repository; credentials and a final ``/`` or ``.git`` aside."""
        return self.identity == other.identity

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of this host."""
        return Path(self.folder).is_dir()

    @property
    def folder(self) -> str:
        """Its path, where it is a folder."""
        return self.url.removeprefix("file://")

    @property
    def identity(self) -> str:
        """The address without what may be written in several ways: scheme of files, ending."""
        return _strip_url(self.url)

    @property
    def configuration(self) -> tuple[tuple[str, str], ...]:
        """Git settings with which the credentials are found, for this host only."""
        parts = urlsplit(self.url) if self.username or self.password else None
        if parts is None:
            return ()
        section = f"credential.{parts.scheme}://{parts.netloc}"
        if not self.password:
            return ((f"{section}.username", self.username),)
        return (
            ("credential.helper", ""),
            (f"{section}.helper", ""),
            (f"{section}.helper", _HELPER),
        )

    @property
    def environment(self) -> Mapping[str, str]:
        """What the settings of `configuration` refer to."""
        if not self.password:
            return {}
        return {"LORELEY_GIT_USERNAME": self.username, "LORELEY_GIT_PASSWORD": self.password}


def _is_scp_like(text: str) -> bool:
    return bool(_SCP_LIKE.match(text)) and not Path(text).exists()


def _make_absolute(text: str) -> str:
    return os.path.abspath(os.path.expandvars(os.path.expanduser(text)))  # noqa: PTH100, PTH111


def _strip_url(url: str) -> str:
    return url.removeprefix("file://").rstrip("/").removesuffix("/.git").removesuffix(".git")


def _refusal(text: str, reason: str) -> ConfigError:
    return ConfigError(
        "the git remote cannot be used",
        setting="WORKER_REPO_REMOTE_URL",
        target=masked(text)[:200],
        reason=reason,
        fix="set it to an https, ssh, git or file URL, an scp-like name or a path",
    )
