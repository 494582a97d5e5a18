"""Code as a block of Markdown; pure."""

import re


def fence_code(text: str, language: str = "") -> str:
    """The text as a code block, with a fence that does not occur in it."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}{'' if text.endswith(chr(10)) else chr(10)}{fence}"
