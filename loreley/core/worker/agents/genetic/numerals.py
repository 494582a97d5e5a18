"""Numeric literals in Python source: where they stand, and how a new value is written there."""

import io
import keyword
import math
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

Number = int | float

LARGEST_EXPONENT = 300  # constants beyond are left alone
LARGEST = 10.0**LARGEST_EXPONENT

_OPERANDS = frozenset({"None", "True", "False"})
_BREAKS = frozenset({tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT})
_LAYOUT = frozenset({tokenize.COMMENT, tokenize.NL})


@dataclass(frozen=True, slots=True)
class Numeral:
    """A literal, with its sign where it has one, at ``source[start:end]``."""

    start: int
    end: int
    value: Number  # of a size that float arithmetic can take
    digit: float  # what one in the last written digit is worth: 0.01 for 0.25
    statement: int  # counts the simple statements and block headers of the file from 0
    named: bool  # part of what is assigned to a name at the top of the module: a parameter
    guarded: bool  # what follows would take a minus sign away from the number


@lru_cache(maxsize=16)  # one proposal looks at the same few sources again and again
def numerals(source: str) -> tuple[Numeral, ...]:
    """The integer and float literals of ``source``, which compiles, in their order.

    Tokens rather than a syntax tree, since a span is all that is needed: files compare and
    change by their numbers at a tenth of the cost.
    """
    starts = _line_starts(source)
    tokens = [token for token in _tokens(source) if token.type not in _LAYOUT]
    found, statement, named = [], 0, False
    for place, token in enumerate(tokens):
        if place == 0 or tokens[place - 1].type in _BREAKS:
            named = token.type == tokenize.NAME and token.start[1] == 0 and _assigns(tokens, place)
        statement += token.type == tokenize.NEWLINE
        if token.type != tokenize.NUMBER:
            continue
        start, end = (starts[row - 1] + column for row, column in (token.start, token.end))
        value = _value(token.string)
        if value is None or source[start:end] != token.string:
            continue
        guarded = place + 1 < len(tokens) and tokens[place + 1].string in ("**", ".")
        if not guarded and _is_signed(tokens[:place][-2:]):
            row, column = tokens[place - 1].start
            start, value = starts[row - 1] + column, -value
        found.append(
            Numeral(start, end, value, _last_digit(token.string), statement, named, guarded)
        )
    return tuple(found)


def rewritten(source: str, values: Mapping[Numeral, Number]) -> str:
    """``source`` with new values for some of its numerals; the rest stays byte for byte."""
    pieces, done = [], 0
    for numeral in sorted(values, key=lambda numeral: numeral.start):
        text = written(values[numeral])
        if numeral.guarded and text.startswith("-"):
            text = f"({text})"
        pieces += [source[done : numeral.start], text]
        done = numeral.end
    return "".join([*pieces, source[done:]])


def written(value: Number) -> str:
    """``value`` as a literal of its own type."""
    return repr(value)


def rounded(value: float, step: float) -> float:
    """``value`` without the digits that are far below a change of ``step``."""
    if step == 0.0 or not math.isfinite(value):
        return value
    digits = 1 - math.floor(math.log10(abs(step)))
    return round(value, digits) if digits < 300 else value


def _tokens(source: str) -> list[tokenize.TokenInfo]:
    try:
        return list(tokenize.generate_tokens(io.StringIO(source, newline="").readline))
    except (tokenize.TokenError, SyntaxError):  # stricter than the compiler in odd corners
        return []


def _line_starts(source: str) -> list[int]:
    starts = [0]
    for line in io.StringIO(source, newline=""):
        starts.append(starts[-1] + len(line))
    return starts


def _assigns(tokens: list[tokenize.TokenInfo], place: int) -> bool:
    """Whether the statement that starts at ``place`` is `NAME = …` or `NAME: … = …`."""
    return tokens[place + 1].string in ("=", ":") and not keyword.iskeyword(tokens[place].string)


def _is_signed(before: list[tokenize.TokenInfo]) -> bool:
    """Whether the tokens end in a minus that is a sign, not a subtraction."""
    if not before or before[-1].string != "-":
        return False
    if len(before) == 1 or before[0].type in _BREAKS:
        return True
    if before[0].type == tokenize.NAME:
        return keyword.iskeyword(before[0].string) and before[0].string not in _OPERANDS
    return before[0].type == tokenize.OP and before[0].string not in (")", "]", "}", "...")


def _value(text: str) -> Number | None:
    try:
        value = int(text, 0) if _is_integer(text) else float(text)
    except (ValueError, OverflowError):  # imaginary, or more digits than Python converts
        return None
    return value if abs(value) < LARGEST else None


def _last_digit(text: str) -> float:
    if _is_integer(text):
        return 1.0
    digits, _, exponent = text.lower().replace("_", "").partition("e")
    decimals = len(digits.partition(".")[2])
    return 10.0 ** max(-LARGEST_EXPONENT, int(exponent or 0) - decimals)


def _is_integer(text: str) -> bool:
    return text[:2].lower() in ("0x", "0o", "0b") or not any(mark in text for mark in ".eEjJ")
