import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loreley.masking import masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:hunter2@host:6379/0", "redis://***@host:6379/0"),
        (
            "to postgresql+psycopg://u:p@ss@host/db and on",
            "to postgresql+psycopg://***@host/db and on",
        ),
        ("9https://token@host", "9https://***@host"),
        (
            "https://oauth2:hunter2@host/r.git and ssh://hunter2@b/r",
            "https://***@host/r.git and ssh://***@b/r",
        ),
        ("rediss://user:hunter2@[::1]:6379", "rediss://***@[::1]:6379"),
        ("'redis://:hunter2@host'", "'redis://***@host'"),
        ("redis://:%68unter2@host", "redis://***@host"),
        ("HTTPS://U:hunter2@HOST", "HTTPS://***@HOST"),
        ("https://host/?access_token=hunter2#x", "https://host/?access_token=***#x"),
        ("https://host/?private_token=hunter2 and on", "https://host/?private_token=*** and on"),
        ("postgresql://h/d?sslpassword=hunter2&a=b", "postgresql://h/d?sslpassword=***&a=b"),
        ("?PASSWORD=hunter2", "?PASSWORD=***"),
        ("https://host/a@b", "https://host/a@b"),
        ("mail to a@b.c about https://host", "mail to a@b.c about https://host"),
        ("?monkey=banana&keyboard=1", "?monkey=banana&keyboard=1"),
        ("?a=1&password=hunter2&b=2", "?a=1&password=***&b=2"),
        ("unix:///run/r.sock?db=0", "unix:///run/r.sock?db=0"),
        ("git@host:repo.git", "git@host:repo.git"),
    ],
)
def test_credentials_are_masked_and_nothing_else(text: str, shown: str) -> None:
    assert masked(text) == shown


@given(
    user=st.text(st.characters(exclude_characters="/@:?#[]%", exclude_categories=["Z", "C"])),
    password=st.text(
        st.characters(exclude_characters="/?#[]%", exclude_categories=["Z", "C"]), min_size=1
    ),
    around=st.tuples(*[st.text(st.characters(exclude_characters="@"))] * 2),
)
def test_no_password_that_a_url_can_hold_is_shown(
    user: str, password: str, around: tuple[str, str]
) -> None:
    url = f"redis://{user}:{password}@host/0"

    assert masked(f"{around[0]} {url} {around[1]}") == masked(around[0]) + (
        " redis://***@host/0 " + masked(around[1])
    )


def test_masking_twice_changes_nothing() -> None:
    once = masked("redis://:hunter2@host/0?password=x")

    assert masked(once) == once


@pytest.mark.parametrize("text", ["x" * 300_000, "a://" * 100_000, "a://" + "@x" * 100_000])
def test_long_text_is_masked_in_linear_time(text: str) -> None:
    start = time.perf_counter()
    masked(text)
    assert time.perf_counter() - start < 5
