"""The numeric literals of Python source."""

import io
import keyword
import tokenize
from functools import lru_cache

from loreley.core.agents.genetic.source.literals import (
    NumberLiteral,
    find_words,
    last_digit,
    parse_number,
)

_OPERANDS = frozenset({"None", "True", "False"})
_BREAKS = frozenset({tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT})
_LAYOUT = frozenset({tokenize.COMMENT, tokenize.NL})


@lru_cache(maxsize=16)  # one proposal looks at the same few sources again and again
def find_python_literals(source: str) -> tuple[NumberLiteral, ...]:
    """The integer and float literals of ``source``, which compiles, in their order.

    Parameters are those assigned to a name at the top of the module. Tokens rather than a syntax
    tree, since a span is all that is needed: files compare and change by their numbers at a
    tenth of the cost.
    """
    starts = _find_line_starts(source)
    tokens = [token for token in _tokenize(source) if token.type not in _LAYOUT]
    found, statement, name = [], 0, ""
    for place, token in enumerate(tokens):
        if place == 0 or tokens[place - 1].type in _BREAKS:
            is_first = token.type == tokenize.NAME and token.start[1] == 0
            name = token.string if is_first and _assigns(tokens, place) else ""
        statement += token.type == tokenize.NEWLINE
        if token.type != tokenize.NUMBER:
            continue
        start, end = (starts[row - 1] + column for row, column in (token.start, token.end))
        value = parse_number(token.string)
        if value is None or source[start:end] != token.string:
            continue
        guarded = place + 1 < len(tokens) and tokens[place + 1].string in ("**", ".")
        if not guarded and _is_signed(tokens[max(0, place - 2) : place]):
            row, column = tokens[place - 1].start
            sign = starts[row - 1] + column
            if source[sign + 1 : start].strip(" \t") == "":  # else a comment would go with it
                start, value = sign, -value
        is_hex = token.string[:2].lower() == "0x"
        digit = last_digit(token.string)
        found.append(
            NumberLiteral(start, end, value, digit, statement, bool(name), guarded, is_hex, name)
        )
    return tuple(found)


def find_python_truths(source: str) -> tuple[NumberLiteral, ...]:
    """What a name is given at the top of the module and is true or false: `NAME = True`."""
    starts = _find_line_starts(source)
    tokens = [token for token in _tokenize(source) if token.type not in _LAYOUT]
    found = []
    for place, token in enumerate(tokens[: -3 if len(tokens) > 3 else 0]):
        value = tokens[place + 2]
        is_first = token.type == tokenize.NAME and token.start[1] == 0
        is_alone = tokens[place + 1].string == "=" and tokens[place + 3].type == tokenize.NEWLINE
        words = find_words(value.string) if is_first and is_alone else None
        if words and value.string in ("True", "False"):
            start, end = (starts[row - 1] + column for row, column in (value.start, value.end))
            which, name = words.index(value.string), token.string
            found.append(
                NumberLiteral(start, end, which, 1.0, place, named=True, name=name, words=words)
            )
    return tuple(found)


def _tokenize(source: str) -> list[tokenize.TokenInfo]:
    try:
        return list(tokenize.generate_tokens(io.StringIO(source, newline="").readline))
    except (tokenize.TokenError, SyntaxError):  # stricter than the compiler in odd corners
        return []


def _find_line_starts(source: str) -> list[int]:
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
