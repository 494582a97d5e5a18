"""When two messages say the same."""

import pytest

from loreley.likeness import likeness

FETCH = "git fetch failed: git --git-dir=/a/.git fetch -- /r.git {} (in /): exit code 128; stderr: "


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("no module named 'a'", "no module named 'b'"),
        ("killed after 3.5 s", "killed after 12 s"),
        ("no such file: /tmp/one/x", "no such file: /tmp/two/y"),
        (
            FETCH.format("a" * 40) + "fatal: git upload-pack: not our ref fatal: remote error",
            FETCH.format("1b" * 20) + "fatal: remote error: upload-pack: not our ref",
        ),
    ],
)
def test_numbers_names_places_and_what_git_prints_make_no_difference(
    first: str, second: str
) -> None:
    assert likeness(first) == likeness(second)


def test_other_words_do() -> None:
    assert likeness("exit code 1: ValueError: no") != likeness("exit code 1: TypeError: no")
    assert likeness(FETCH.format("x")) != likeness(FETCH.format("x").replace("fetch", "push"))
