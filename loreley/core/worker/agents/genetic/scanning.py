"""Tokens of source in languages that are known by their comments and brackets only."""

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple


class Comments(StrEnum):
    """What begins a comment that ends with its line; it tells families of languages apart."""

    SLASHES = "//"  # these have `/* */` and lines for a preprocessor as well
    SLASHES_AND_QUOTES = "// '"  # of these, the ones whose strings may stand in single quotes
    HASH = "#"
    DASHES = "--"

    @property
    def has_braces(self) -> bool:
        """Whether these languages keep statements in braces."""
        return self in (Comments.SLASHES, Comments.SLASHES_AND_QUOTES)


class Kind(StrEnum):
    """What a token is; white space is none."""

    COMMENT = "comment"
    DIRECTIVE = "directive"  # a line for a preprocessor that defines no name
    TEXT = "text"  # a string or character
    NUMBER = "number"
    NAME = "name"
    SIGN = "sign"
    NEWLINE = "newline"


class Token(NamedTuple):  # of which a file has a hundred thousand
    """What stands at ``source[start:end]``."""

    kind: Kind
    text: str
    start: int

    @property
    def end(self) -> int:
        """The place behind it."""
        return self.start + len(self.text)


_SLASHES = r"//[^\n]*+|/\*[\s\S]*?(?:\*/|\Z)"
_COMMENTS = {
    Comments.SLASHES: _SLASHES,
    Comments.SLASHES_AND_QUOTES: _SLASHES,
    Comments.HASH: r"\#[^\n]*+",
    Comments.DASHES: r"--\[\[[\s\S]*?(?:\]\]|\Z)|--[^\n]*+",
}
_DIRECTIVE = r"^[ \t]*\#(?![ \t]*define\b)(?:\\\r?\n|[^\n])*+"
_REST = r"""
  | (?P<text>"(?:\\[\s\S]|[^"\\\n])*+"?
      | `(?:\\[\s\S]|[^`\\])*+`?
      | '(?:\\[^\n][^'\n]{0,8}|[^'\\\n])'QUOTED)
  | (?P<name>\#[ \t]*define\b | [^\W\d][\w$]*+)
  | (?P<number>0[xX][0-9a-fA-F_]++(?:'[0-9a-fA-F]++)*+(?:(?:\.[0-9a-fA-F]*+)?[pP][+-]?[0-9]++)?
      | 0[bBoO][0-9_]++
      | (?:[0-9][0-9_]*+(?:'[0-9]++)*+(?:\.(?![.\w])|\.[0-9][0-9_]*+)?
          | (?<![\w)\]])\.[0-9][0-9_]*+)(?:[eE][+-]?[0-9]++)?)
  | (?P<newline>\n)
  | (?P<sign><<=|>>=|===|!==|\.{2,3}|->|=>|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|::|[^\w\s])
"""


# Not behind a word: there it is a prime (Haskell), a transposition (Julia), an attribute (Ada).
_QUOTED = r"|(?<![\w)\]])'(?:\\[^\n]|[^'\\\n])*+'"


@lru_cache(maxsize=16)
def scanned(source: str, comments: Comments) -> tuple[Token, ...]:
    """The tokens of any text, in order; what is open at the end of the text ends there."""
    return tuple(
        Token(Kind(match.lastgroup or ""), match[0], match.start())
        for match in _pattern(comments).finditer(source)
    )


@lru_cache
def _pattern(comments: Comments) -> re.Pattern[str]:
    directive = f"|(?P<directive>{_DIRECTIVE})" if comments.has_braces else ""
    head = f"(?P<comment>{_COMMENTS[comments]}){directive}"
    quoted = "" if comments is Comments.SLASHES else _QUOTED
    return re.compile(head + _REST.replace("QUOTED", quoted), re.VERBOSE | re.MULTILINE)
