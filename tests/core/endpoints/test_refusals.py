"""What providers say when they refuse, and when they say it will be over."""

from collections.abc import Mapping

import pytest

from loreley.core.endpoints.refusals import Refusal, read_status, read_wait, read_words

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3600"}, 3600.0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "Tue, 14 Nov 2023 23:13:20 GMT"}, 3600.0),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"}, 360.0),
        ({"anthropic-ratelimit-requests-reset": "2023-11-14T22:14:20Z"}, 60.0),
        ({"x-ratelimit-reset": "1700000090"}, 90.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_headers_say_when_a_limit_is_over(
    headers: Mapping[str, str], seconds: float | None
) -> None:
    assert read_wait("", headers, NOW) == seconds


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Rate limit reached. Please try again in 1m26.4s.", 86.4),
        ("You've hit your usage limit. Try again in 3 days 2 hours 5 minutes.", 266_700.0),
        ("usage limit; try again in 3 days", 259_200.0),
        ("Claude AI usage limit reached|1700003600", 3600.0),
        ("limit resets at 2023-11-14T22:23:20Z", 600.0),
        ("too many requests, retry after 20 seconds", 20.0),
        ("rate limit reached for 3 requests", None),
    ],
)
def test_words_say_when_a_limit_is_over(words: str, seconds: float | None) -> None:
    assert read_wait(words, {}, NOW) == seconds


def test_of_header_and_words_the_later_moment_counts() -> None:
    assert read_wait("try again in 3 days", {"retry-after": "5"}, NOW) == 259_200.0
    assert read_wait("try again in 5 seconds", {"retry-after": "3600"}, NOW) == 3600.0


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ("API Error: 401 invalid x-api-key", Refusal.KEY),
        ("Not logged in · Please run /login", Refusal.KEY),
        ("Credit balance is too low", Refusal.CREDIT),
        ("You exceeded your current quota", Refusal.CREDIT),
        ("Claude AI usage limit reached|1700003600", Refusal.RATE),
        ("exceeded retry limit, last status: 429 Too Many Requests", Refusal.RATE),
        ("Overloaded", Refusal.OVERLOAD),
        ("503 Service Unavailable", Refusal.OVERLOAD),
        ("The model `gpt-9` does not exist", Refusal.MODEL),
        ("connect ECONNREFUSED 127.0.0.1:9", Refusal.AWAY),
        ("I could not make the tests pass", None),
        ("line 503 of solver.py is wrong", None),
        ("Rate limit reached. Wait, or switch to another /auth method", Refusal.RATE),
        ("Please set an Auth method in your settings", Refusal.KEY),
        ("No auth type is selected.", Refusal.KEY),
        ("litellm.InternalServerError: the server", Refusal.OVERLOAD),
        ("We are currently experiencing high demand", Refusal.OVERLOAD),
    ],
)
def test_the_last_words_of_a_program_tell_of_its_provider(
    words: str, refusal: Refusal | None
) -> None:
    assert read_words(words) == refusal


@pytest.mark.parametrize(
    ("status", "code", "refusal"),
    [
        (400, None, Refusal.QUESTION),
        (401, None, Refusal.KEY),
        (402, None, Refusal.CREDIT),
        (404, None, Refusal.MODEL),
        (429, None, Refusal.RATE),
        (429, "insufficient_quota", Refusal.CREDIT),
        (529, None, Refusal.OVERLOAD),
    ],
)
def test_a_status_tells_why(status: int, code: str | None, refusal: Refusal) -> None:
    assert read_status(status, code) is refusal
