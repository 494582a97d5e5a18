"""Numeric literals of a source: where they stand, and how a new value is written there."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

Number = int | float

_TRUTHS = (("false", "true"), ("False", "True"), ("FALSE", "TRUE"))

LARGEST_EXPONENT = 300  # constants beyond are left alone
LARGEST = 10.0**LARGEST_EXPONENT


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """A literal, with its sign where it has one, at ``source[start:end]``."""

    start: int
    end: int
    value: Number  # of a size that float arithmetic can take
    digit: float  # what one in the last written digit is worth: 0.01 for 0.25
    statement: int  # counts the statements of the file, as far as they can be distinguished, from 0
    named: bool  # part of what a name is given once and for all: a parameter
    guarded: bool = False  # a minus sign would be read as belonging to something else
    is_hex: bool = False
    name: str = ""  # of what it is given to; in data the keys that lead to it
    needs_point: bool = False  # an exponent alone would make it a text
    words: tuple[str, ...] = ()  # for 0, 1 and so on, where it is no number


def parse_number(text: str) -> Number | None:
    """The value of an unsigned literal; None where it is too large or of another kind."""
    try:
        value = int(text, 0) if _is_integer(text) else float(text)
    except (ValueError, OverflowError):  # imaginary, or more digits than Python converts
        return None
    return value if abs(value) < LARGEST else None


def last_digit(text: str) -> float:
    """What one in the last digit of a literal is worth."""
    if _is_integer(text):
        return 1.0
    digits, _, exponent = text.lower().replace("_", "").partition("e")
    decimals = len(digits.partition(".")[2])
    place = int(exponent or 0) - decimals
    return 10.0 ** min(LARGEST_EXPONENT, max(-LARGEST_EXPONENT, place))


def rewrite(source: str, values: Mapping[NumberLiteral, Number]) -> str:
    """``source`` with new values for some of its literals; the rest stays byte for byte."""
    pieces, done = [], 0
    for literal in sorted(values, key=lambda literal: literal.start):
        value = values[literal]
        pieces += [source[done : literal.start], _write(literal, value)]
        done = literal.end
    return "".join([*pieces, source[done:]])


def _write(literal: NumberLiteral, value: Number) -> str:
    if literal.words:
        return write_value(literal, value)
    text = hex(value) if literal.is_hex and isinstance(value, int) else write_number(value)
    if literal.needs_point and "e" in text and "." not in text:
        text = text.replace("e", ".0e")
    return f"({text})" if literal.guarded and text.startswith("-") else text


def find_words(text: str) -> tuple[str, str] | None:
    """The words for no and yes in the way that ``text`` is one of them; None where it is none."""
    return next((pair for pair in _TRUTHS if text in pair), None)


def write_value(literal: NumberLiteral, value: Number) -> str:
    """``value`` as people read it in the place of a literal."""
    return literal.words[int(value)] if literal.words else write_number(value)


def write_number(value: Number) -> str:
    """``value`` as a literal of its own type."""
    return repr(value)


def round_to_step(value: float, step: float) -> float:
    """``value`` without the digits that are far below a change of ``step``."""
    if step == 0.0 or not math.isfinite(value):
        return value
    digits = 1 - math.floor(math.log10(abs(step)))
    return round(value, digits) if digits < 300 else value


def _is_integer(text: str) -> bool:
    return text[:2].lower() in ("0x", "0o", "0b") or not any(mark in text for mark in ".eEjJ")
