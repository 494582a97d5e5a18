"""Whether two messages say the same of different jobs: numbers, names and places aside."""

import re

_VARYING = (
    # What git and whoever answers it print comes in an order that is chance.
    (re.compile(r"; stderr: .*", re.DOTALL), ""),
    (re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`"), "'…'"),
    (re.compile(r"(?<![\w.])~?/[^\s:;,)]+"), "/…"),
    (re.compile(r"\b[0-9a-f]{7,64}\b", re.IGNORECASE), "#"),
    (re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?"), "#"),
    (re.compile(r"\s+"), " "),
)
_COMPARED_CHARACTERS = 300  # what comes after is the end of some output


def likeness(message: str) -> str:
    """What messages of one cause have in common."""
    for pattern, instead in _VARYING:
        message = pattern.sub(instead, message)
    return message.strip().lower()[:_COMPARED_CHARACTERS]
