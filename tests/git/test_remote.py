from pathlib import Path

import pytest

from loreley.errors import ConfigError
from loreley.git.remote import Remote


def test_a_password_is_no_part_of_what_may_be_shown_or_stored() -> None:
    remote = Remote.parse("https://ann:s%40crt@example.org:8443/a/b.git")

    assert remote.url == "https://example.org:8443/a/b.git"
    assert (remote.username, remote.password) == ("ann", "s@crt")
    assert "s@crt" not in repr(remote) + str(remote)
    assert "s@crt" not in str(remote.configuration)
    assert remote.environment["LORELEY_GIT_PASSWORD"] == "s@crt"


def test_a_token_in_place_of_the_user_is_hidden_too() -> None:
    remote = Remote.parse("https://token@example.org/a.git")

    assert remote.url == "https://example.org/a.git"
    assert remote.configuration == (("credential.https://example.org.username", "token"),)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/a.git",
        "ssh://git@example.org/a.git",
        "git@example.org:a/b.git",
        "git://example.org/a.git",
        "file:///srv/a.git",
        "/srv/a.git",
    ],
)
def test_what_git_understands_stays_as_it_is(text: str) -> None:
    assert Remote.parse(text) == Remote(text)


def test_a_path_means_the_same_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("REPOS", "/srv")

    assert Remote.parse("a.git").url == str(tmp_path / "a.git")
    assert Remote.parse("~/a.git").url == "/home/ann/a.git"
    assert Remote.parse("$REPOS/a.git").url == "/srv/a.git"


@pytest.mark.parametrize(
    "text",
    ["", "  ", "--upload-pack=evil", "ext::sh -c evil", "fd::17", "https://", "ftp://x/y", "a\nb"],
)
def test_what_git_must_not_try_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="WORKER_REPO_REMOTE_URL"):
        Remote.parse(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://u:p@example.org/a.git", "https://example.org/a/", True),
        ("/srv/a.git", "file:///srv/a", True),
        ("https://example.org/a.git", "https://example.org/b.git", False),
    ],
)
def test_one_repository_may_be_named_in_several_ways(one: str, other: str, same: bool) -> None:
    assert Remote.parse(one).is_same_as(Remote.parse(other)) is same
