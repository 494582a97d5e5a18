"""What a child printed, made fit for a log, a database and a prompt."""

import os
import re
from typing import IO

LIMIT_BYTES = 16 * 1024

_TERMINAL_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])"
)


def tail(file: IO[bytes], limit_bytes: int = LIMIT_BYTES) -> str:
    """The end of an open file as legible text, from the start of a line where it is cut."""
    size = os.fstat(file.fileno()).st_size
    content = os.pread(file.fileno(), limit_bytes, max(0, size - limit_bytes))
    if size > limit_bytes:
        _, newline, whole_lines = content.partition(b"\n")
        content = whole_lines if newline else content
    return legible(content.decode(errors="replace"))


def legible(text: str) -> str:
    """The text without colours, control characters and half characters; lines end in ``\\n``."""
    text = _TERMINAL_SEQUENCE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char for char in text if char in "\n\t" or char.isprintable())


def one_line(text: str) -> str:
    """The text as one line that a terminal, a mail or a commit may show."""
    return " ".join(legible(text).split())


def last_line(text: str) -> str:
    """The last line that says something, or nothing."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
