"""Whether an endpoint refuses a text as too long, and how much of it may fit; pure."""

import re

_CODES = frozenset({"context_length_exceeded", "string_above_max_length", "input_too_long"})
_WORDS = re.compile(
    r"(?:maximum|max|available) context|context (?:length|window|size)"
    r"|(?:prompt|input|request|message)s? (?:is|are|was) too (?:long|large)"
    r"|too many (?:input )?tokens|reduce the length"
    r"|exceeds? (?:the |this )?(?:model'?s? )?(?:maximum|max|token|context|limit)"
    r"|input (?:token count|length|tokens)\b.{0,60}\bexceeds?\b"
    r"|exceeded (?:the )?(?:model )?token limit|longer than the maximum (?:model )?length"
    r"|must have (?:less|fewer) than \d+ tokens|`inputs` tokens \+|range of input length"
    r"|length is \d+ while limit|tokens in (?:the )?(?:request|prompt) more than",
    re.IGNORECASE,
)
_PER_MINUTE = re.compile(r"per (?:minute|day|hour)|\bTPM\b|rate limit", re.IGNORECASE)
_LONGEST_ANSWER = re.compile(r"max_(?:completion_)?tokens|completion tokens", re.IGNORECASE)
_NUMBER = re.compile(r"\b\d{1,3}(?:,\d{3})+\b|\b\d{3,8}\b")
_MARGIN = 0.8  # of what the model takes, as the answer has to fit as well


def is_too_long(status: int, code: str | None, words: str) -> bool:
    """Whether it is the length of the text that is refused, not the number of texts or answers."""
    if code in _CODES:
        return True
    if status not in (400, 413, 422, 500) or _PER_MINUTE.search(words):
        return False
    is_of_answer = _LONGEST_ANSWER.search(words) and "context" not in words.lower()
    return status == 413 or (_WORDS.search(words) is not None and not is_of_answer)


def read_fitting_share(words: str) -> float:
    """The share of the text that may fit, by the numbers that are told; else the half."""
    numbers = [int(found.replace(",", "")) for found in _NUMBER.findall(words)]
    if len(numbers) < 2 or max(numbers) <= min(numbers):
        return 0.5
    return min(0.9, max(0.05, _MARGIN * min(numbers) / max(numbers)))
