"""Tokens of source in languages that are known by their comments, texts and brackets only."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from loreley.core.agents.genetic.source.lexical_rules import LexicalRules, Span


class TokenKind(StrEnum):
    """What a token is; white space is none."""

    COMMENT = "comment"
    DIRECTIVE = "directive"  # a line for a preprocessor that defines no name
    STRING = "string"  # a string or character
    NUMBER = "number"
    NAME = "name"
    PUNCTUATION = "punctuation"
    NEWLINE = "newline"


class Token(NamedTuple):  # of which a file has a hundred thousand
    """What stands at ``source[start:end]``."""

    kind: TokenKind
    text: str
    start: int

    @property
    def end(self) -> int:
        """The place behind it."""
        return self.start + len(self.text)


_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_BEFORE_A_REGEX = re.compile(
    "return|typeof|case|in|of|delete|void|throw|new|else|do|instanceof|await|yield|when|and|or"
    "|not|if|unless|elsif|while|until|split|grep|map"
)
_DIRECTIVE = r"^[ \t]*\#(?!\#*\"|[ \t]*define\b)(?:\\\r?\n|[^\n])*+"
# Bounded, or a line of open ones would take the square of its length.
_REGEX = r"/(?![/*])(?:\\[^\n]|\[(?:\\[^\n]|[^\]\\\n]){0,99}+\]|[^/\\\[\n]){1,499}+/[a-z]*+"
_STRINGS = r"""
        "(?:\\[\s\S]|[^"\\\n])*+"?
      | `[^`\n]*+`
      | '(?:\\[^\n][^'\n]{0,8}|[^'\\\n])'
"""
_WORD = r"\#[ \t]*define\b | [^\W\d][\w$]*+"
_REST = r"""
  | (?P<number>(?:0[xX][0-9a-fA-F_]++(?:'[0-9a-fA-F]++)*+
          (?:(?:\.[0-9a-fA-F]*+)?[pP][+-]?[0-9]++)?
      | 0[bBoO][0-9_]++
      | (?:[0-9][0-9_]*+(?:'[0-9]++)*+(?:\.(?![.\w])|\.[0-9][0-9_]*+)?
          | (?<![\w)\]])\.[0-9][0-9_]*+)(?:[eE][+-]?[0-9]++)?)(?!\#\w))
  | (?P<newline>\n)
  | (?P<punctuation>
        <<=|>>=|===|!==|\.{2,3}|->|=>|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|::|[^\w\s])
"""


@lru_cache(maxsize=16)
def lex(source: str, rules: LexicalRules) -> tuple[Token, ...]:
    """The tokens of any text, in order; what is open at the end of the text ends there."""
    return tuple(_find_tokens(source, _compile_grammar(rules)))


def _find_tokens(source: str, grammar: "_Grammar") -> Iterator[Token]:
    at, is_operand = 0, False
    while match := grammar.code(is_operand).search(source, at):
        found = match.lastgroup or ""
        span = grammar.spans.get(found)
        at = match.end() if span is None else _find_span_end(source, match.end(), span, grammar)
        kind = TokenKind(found) if span is None else span.kind
        token = Token(kind, source[match.start() : at], match.start())
        if kind is not TokenKind.COMMENT:
            is_operand = _ends_operand(token)
        yield token


def _find_span_end(source: str, at: int, opened: "_SpanPattern", grammar: "_Grammar") -> int:
    """The place behind a span, ``at`` being where it has been opened."""
    inside: list[_SpanPattern | None] = [opened]  # None: code in brackets
    while inside:
        span = inside[-1]
        pattern = grammar.code(True) if span is None else span.pattern
        match = pattern.search(source, at)
        if match is None:
            return len(source)
        at, found = match.end(), match.lastgroup or ""
        if span is None and found in grammar.spans:
            inside.append(grammar.spans[found])
        elif found == "nested":
            inside.append(span)
        elif found == "hole" or (span is None and match[0] in _OPENING):
            inside.append(None)
        elif found == "close" or (span is None and match[0] in _CLOSING):
            inside.pop()
    return at


def _ends_operand(token: Token) -> bool:
    if token.kind is TokenKind.PUNCTUATION:
        return token.text in _CLOSING
    breaks = token.kind in (TokenKind.DIRECTIVE, TokenKind.NEWLINE)
    return not breaks and not _BEFORE_A_REGEX.fullmatch(token.text)


@dataclass(frozen=True, slots=True)
class _SpanPattern:
    """What is looked for in a span: where it closes, and what may be opened before."""

    kind: TokenKind
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, span: Span) -> "_SpanPattern":
        parts = {"close": span.closes, "hole": span.hole}
        if span.is_comment:
            parts["nested"] = span.opens
        elif span.escapes:
            parts["escape"] = r"\\[\s\S]"
        groups = "|".join(f"(?P<{name}>{part})" for name, part in parts.items() if part)
        return cls(TokenKind.COMMENT if span.is_comment else TokenKind.STRING, re.compile(groups))


@dataclass(frozen=True, slots=True)
class _Grammar:
    """The compiled patterns of a language."""

    behind_operand: re.Pattern[str]
    elsewhere: re.Pattern[str]
    spans: dict[str, _SpanPattern]  # by the group that opens them

    def code(self, is_operand: bool) -> re.Pattern[str]:
        """What finds the next token of code."""
        return self.behind_operand if is_operand else self.elsewhere


@lru_cache
def _compile_grammar(rules: LexicalRules) -> _Grammar:
    spans = {f"span{place}": _SpanPattern.of(span) for place, span in enumerate(rules.spans)}
    regex = _REGEX if rules.has_regexes else ""
    return _Grammar(_compile_code(rules, ""), _compile_code(rules, regex), spans)


def _compile_code(rules: LexicalRules, regex: str) -> re.Pattern[str]:
    groups = {f"span{place}": (span.opens,) for place, span in enumerate(rules.spans)} | {
        "comment": (rules.comments,),
        "directive": (_DIRECTIVE if rules.has_braces else "",),
        "string": (rules.strings, regex, _STRINGS),
        "name": (rules.names, _WORD),
    }
    head = [
        f"(?P<{name}>{'|'.join(filter(None, parts))})"
        for name, parts in groups.items()
        if any(parts)
    ]
    return re.compile("|".join(head) + _REST, re.VERBOSE | re.MULTILINE)
