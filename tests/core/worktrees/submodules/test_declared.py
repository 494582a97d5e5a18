"""From where submodules may be fetched."""

import pytest

from loreley.core.worktrees.submodules.declared import is_allowed, settle_remote
from loreley.errors import ConfigError
from loreley.git.remote import Remote

PARENT = Remote("https://git.example/acme/solver.git", "bot", "s3cret")


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        ("https://git.example/acme/lib.git", "https://git.example/acme/"),
        ("https://git.example/acme/lib.git", "https://git.example/acme"),
        ("https://git.example/acme/lib.git", "https://git.example/acme/lib"),
        ("git@git.example:acme/lib", "git@git.example:"),
        ("/srv/git/lib", "/srv/git"),
    ],
)
def test_a_remote_below_an_allowed_one_is_allowed(url: str, prefix: str) -> None:
    assert is_allowed(url, ["https://other.example/", prefix])


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        ("https://git.example/acme-evil/lib.git", "https://git.example/acme"),
        ("https://git.example.evil/lib", "https://git.example"),
        ("https://git.example/acme/../evil/lib", "https://git.example/acme/"),
        ("https://git.example/acme/%2e%2e/evil", "https://git.example/acme/"),
        ("/srv/git/../../etc/lib", "/srv/git"),
        ("/etc/lib", "/"),
        ("/etc/lib", ""),
        ("file:///srv/git/lib", "/srv/git"),
    ],
)
def test_any_other_remote_is_not(url: str, prefix: str) -> None:
    assert not is_allowed(url, [prefix])


@pytest.mark.parametrize(
    ("url", "parent", "meant"),
    [
        ("../lib.git", PARENT.url, "https://git.example/acme/lib.git"),
        ("../../other/lib.git", PARENT.url, "https://git.example/other/lib.git"),
        ("./lib", PARENT.url, "https://git.example/acme/solver.git/lib"),
        ("../lib.git", "git@git.example:acme/solver.git", "git@git.example:acme/lib.git"),
        ("../lib.git", "git@git.example:solver.git", "git@git.example:lib.git"),
        ("../lib", "/srv/git/solver/", "/srv/git/lib"),
    ],
)
def test_a_relative_url_begins_at_the_repository_that_names_it(
    url: str, parent: str, meant: str
) -> None:
    allowed = ["https://git.example", "git@git.example:", "/srv/git"]

    assert settle_remote(url, Remote(parent), allowed).url == meant


def test_credentials_go_to_the_same_server_only() -> None:
    allowed = ["https://git.example", "https://other.example", "http://git.example"]

    same = settle_remote("../lib.git", PARENT, allowed)
    others = [
        settle_remote(url, PARENT, allowed)
        for url in ("https://other.example/lib", "http://git.example/lib")
    ]

    assert (same.username, same.password) == ("bot", "s3cret")
    assert [each.password for each in others] == ["", ""]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/lib",
        "https://git.example@evil.example/lib",
        "ext::sh -c 'touch x'",
        "--upload-pack=touch x",
        "../../../../../../etc",
    ],
)
def test_a_remote_that_is_not_allowed_is_refused_with_the_setting(url: str) -> None:
    with pytest.raises(ConfigError):
        settle_remote(url, PARENT, ["https://git.example/acme"])
