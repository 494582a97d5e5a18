"""Refusals of texts that are too long (row 9)."""

import pytest

from loreley.core.endpoints.context_length import is_too_long, read_fitting_share

OPENAI = (
    "This model's maximum context length is 4096 tokens. However, your messages resulted in "
    "8192 tokens. Please reduce the length of the messages."
)


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (400, "context_length_exceeded", "no"),
        (400, None, OPENAI),
        (400, None, "prompt is too long: 210000 tokens > 200000 maximum"),
        (400, None, "the request exceeds the available context size. try increasing it"),
        (500, None, "input length exceeds the context length"),
        (400, None, "The input token count (1200000) exceeds the maximum number of tokens allowed"),
        (413, None, "Payload Too Large"),
        (400, None, "The prompt (length 5000) is longer than the maximum model length of 4096."),
        (422, None, "Input validation error: `inputs` must have less than 1024 tokens. Given: 2"),
        (422, None, "`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 5000 and 512"),
        (400, None, "Range of input length should be [1, 30720]"),
        (400, None, "Invalid request: Your request exceeded model token limit: 8192"),
        (400, None, "Current length is 9000 while limit is 8192"),
        (400, None, "Input tokens exceed the configured limit of 272000 tokens."),
    ],
)
def test_row_9_a_text_that_is_too_long_is_known(status: int, code: str | None, words: str) -> None:
    assert is_too_long(status, code, words)


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (429, "rate_limit_exceeded", "Request too large on tokens per minute (TPM): Limit 6000"),
        (413, None, "Request too large on tokens per minute (TPM): Limit 6000, Requested 9000"),
        (
            400,
            None,
            "max_tokens is too large: 99999. The model takes at most 4096 completion tokens",
        ),
        (400, None, "The model does not exist"),
        (400, None, "This request would exceed your account's rate limit"),
        (400, None, "max_tokens must be <= 8192"),
        (401, None, "maximum context length"),
    ],
)
def test_row_9_other_refusals_are_not_of_the_length(
    status: int, code: str | None, words: str
) -> None:
    assert not is_too_long(status, code, words)


@pytest.mark.parametrize(
    ("words", "share"),
    [
        (OPENAI, 0.4),
        ("prompt is too long: 210,000 tokens > 200,000 maximum", 0.8 * 200 / 210),
        ("too long", 0.5),
        ("4096 is the limit", 0.5),
        ("100 of 10000000", 0.05),
    ],
)
def test_row_9_the_numbers_tell_how_much_may_fit(words: str, share: float) -> None:
    assert read_fitting_share(words) == pytest.approx(share)
