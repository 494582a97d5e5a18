import time

import pytest

from loreley.secrets import masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:hunter2@host:6379/0", "redis://***@host:6379/0"),
        (
            "to postgresql+psycopg://u:p@ss@host/db and on",
            "to postgresql+psycopg://***@host/db and on",
        ),
        ("9https://token@host", "9https://***@host"),
        ("?a=1&password=hunter2&b=2", "?a=1&password=***&b=2"),
        ("unix:///run/r.sock?db=0", "unix:///run/r.sock?db=0"),
        ("git@host:repo.git", "git@host:repo.git"),
    ],
)
def test_credentials_are_masked_and_nothing_else(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize("text", ["x" * 300_000, "a://" * 100_000, "a://" + "@x" * 100_000])
def test_long_text_is_masked_in_linear_time(text: str) -> None:
    start = time.perf_counter()
    masked(text)
    assert time.perf_counter() - start < 5
