"""The numeric literals of source in languages other than Python."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from loreley.core.agents.genetic.source.lexer import Token, TokenKind, lex
from loreley.core.agents.genetic.source.lexical_rules import LexicalRules
from loreley.core.agents.genetic.source.literals import NumberLiteral, last_digit, parse_number

_LASTING = frozenset({"const", "constexpr", "enum", "final", "static", "val"})
_BEFORE_A_SIGN = frozenset({"return", "case", "in", "and", "or", "not", "then", "else", "if"})
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_SKIPPED = frozenset({TokenKind.COMMENT, TokenKind.DIRECTIVE})


@lru_cache(maxsize=16)
def find_text_literals(source: str, rules: LexicalRules) -> tuple[NumberLiteral, ...]:
    """The integer and float literals of ``source``, without their suffixes, in their order.

    Parameters are what `#define` names, what is assigned outside of any block, and what a word
    such as `const` says is to last.
    """
    walk = _Walk()
    found = []
    tokens = [token for token in lex(source, rules) if token.kind not in _SKIPPED]
    for place, token in enumerate(tokens):
        walk.take(token)
        value = parse_number(token.text) if token.kind is TokenKind.NUMBER else None
        if value is None or _names_a_field(tokens[place - 1 : place], token):
            continue
        start, before = token.start, tokens[max(0, place - 2) : place]
        if _is_signed(before) and source[before[-1].end : start].strip(" \t") == "":
            start, value = before[-1].start, -value
        guarded = start > 0 and source[start - 1] in "+-"
        is_hex = token.text[:2].lower() == "0x"
        found.append(
            NumberLiteral(
                start=start,
                end=token.end,
                value=value,
                digit=last_digit(token.text),
                statement=walk.statement,
                named=walk.is_lasting,
                guarded=guarded,
                is_hex=is_hex,
                name=walk.name if walk.is_lasting else "",
            )
        )
    return tuple(found)


@dataclass(slots=True)
class _Walk:
    """Where in the file the tokens have led, as far as brackets, lines and a few words tell."""

    statement: int = 0
    blocks: int = 0  # of braces that hold statements
    brackets: int = 0  # of all others, and of braces that hold values
    assigns: bool = False
    lasts: bool = False
    defines: bool = False
    name: str = ""  # that is defined or assigned to

    @property
    def is_lasting(self) -> bool:
        """Whether a number that stands here is a parameter."""
        return self.defines or (self.assigns and (self.lasts or self.blocks == 0))

    def take(self, token: Token) -> None:
        """Go on by one token."""
        if token.text in _OPENING:
            self._open(token.text)
        elif token.text in _CLOSING:
            self._close(token.text)
        elif token.text == "=":
            self.assigns |= self.brackets == 0
        elif token.text == "=>":
            self.assigns = False
        elif token.kind is TokenKind.NAME:
            self._take_name(token.text)
            self.lasts |= token.text in _LASTING
            self.defines |= token.text.startswith("#")
        if token.text in (";", "\n") and (self.brackets == 0 or self.defines):
            self._end()

    def _take_name(self, text: str) -> None:
        is_fixed = self.assigns or self.brackets or (self.defines and self.name)
        if not is_fixed and not text.startswith("#"):
            self.name = text

    def _open(self, sign: str) -> None:
        if sign == "{" and not self.brackets and not self.assigns and not self.defines:
            lists_names = self.lasts and self.blocks == 0  # `enum { A = 1 }` as well
            self._end()
            self.blocks += 1
            self.lasts = lists_names
        else:
            self.brackets += 1

    def _close(self, sign: str) -> None:
        if self.brackets:
            self.brackets -= 1
        elif sign == "}":
            self.blocks = max(0, self.blocks - 1)
            self._end()

    def _end(self) -> None:
        self.statement += 1
        self.assigns = self.lasts = self.defines = False
        self.name = ""


def _names_a_field(before: Sequence[Token], token: Token) -> bool:
    """Whether the number stands for a part of a tuple, as in `pair.0`."""
    return any(each.text == "." and each.end == token.start for each in before)


def _is_signed(before: Sequence[Token]) -> bool:
    """Whether the tokens end in a minus that is a sign, not a subtraction."""
    if not before or before[-1].text != "-":
        return False
    if len(before) == 1 or before[0].text in _BEFORE_A_SIGN:
        return True
    return (
        before[0].kind in (TokenKind.PUNCTUATION, TokenKind.NEWLINE)
        and before[0].text not in _CLOSING
    )
