"""Operators that delete, copy and reorder lines that hold a statement each, in any language."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from loreley.core.agents.genetic.operators.material import Material, Mutant
from loreley.core.agents.genetic.source.lexer import Token, TokenKind, lex
from loreley.core.agents.genetic.source.lexical_rules import LexicalRules

_OPENING, _CLOSING = "([{", ")]}"
# What a line begins with that is part of something larger, or fixed where it stands.
_BOUND = re.compile(
    r"(else|elsif|elif|elseif|end|fi|done|esac|case|default|when|then|do|begin|rescue|ensure"
    r"|until|import|include|require|use|using|package|module|namespace|typedef|break|continue)\b"
)
# Words that open a block which a later line closes, in languages without braces.
_BLOCK = re.compile(r"\b(if|unless|while|for|do|def|class|function|then|repeat|begin|switch)\b")
# `std::map<K, V> name`, `int[] name`, `auto [a, b]`, `name := value`, with blanks between tokens.
_TYPED = re.compile(
    r"[\w$]+(?: (?:::|\.) [\w$]+)*(?: < [^;=()]*>)?(?: (?:::|\.) [\w$]+)*(?: \[ \])* [\w$]"
    r"|auto \["
    r"|[\w$]+(?: , [\w$]+)* : ="
)
_VERBS = frozenset(
    {"return", "goto", "throw", "raise", "yield", "await", "delete", "print", "echo"}
)


@dataclass(frozen=True, slots=True)
class MovableLine:
    """Line ``number`` of a file, from 0, that may be moved; ``block`` tells where it may go."""

    number: int
    block: int


def delete(material: Material, random: Random) -> Mutant | None:
    """Leave a line out."""
    lines, movable = _read_lines(material)
    if not movable:
        return None
    gone = random.choice(movable).number
    return _make_mutant([*lines[:gone], *lines[gone + 1 :]], "delete", lines[gone])


def duplicate(material: Material, random: Random) -> Mutant | None:
    """Write a line a second time, below itself or another line of its block."""
    lines, movable = _read_lines(material)
    if not movable:
        return None
    chosen = random.choice(movable)
    below = [each.number for each in movable if each.block == chosen.block]
    place = random.choice([chosen.number, random.choice(below)]) + 1
    copied = lines[chosen.number]
    return _make_mutant([*lines[:place], copied, *lines[place:]], "duplicate", copied)


def swap(material: Material, random: Random) -> Mutant | None:
    """Let two lines of one block change places."""
    lines, movable = _read_lines(material)
    pair = _choose_pair(movable, random)
    if pair is None:
        return None
    first, second = pair[0].number, pair[1].number
    changed = list(lines)
    changed[first], changed[second] = changed[second], changed[first]
    return _make_mutant(changed, "swap", lines[first])


def move(material: Material, random: Random) -> Mutant | None:
    """Take a line to the place of another one of its block."""
    lines, movable = _read_lines(material)
    pair = _choose_pair(movable, random)
    if pair is None:
        return None
    old, new = pair[0].number, pair[1].number
    rest = [*lines[:old], *lines[old + 1 :]]
    return _make_mutant([*rest[:new], lines[old], *rest[new:]], "move", lines[old])


def graft(material: Material, random: Random) -> Mutant | None:
    """Copy a line from another block, another file or an inspiration into a block."""
    lines, movable = _read_lines(material)
    donor = random.choice([material.source, *material.donors])
    theirs = _split(donor)
    offered = _find_movable(donor, material.language.rules)
    if not movable or not offered:
        return None
    below = random.choice(movable).number
    indent = lines[below][: len(lines[below]) - len(lines[below].lstrip())]
    copied = indent + theirs[random.choice(offered).number].strip() + _find_line_end(lines[below])
    place = below + random.randint(0, 1)
    return _make_mutant([*lines[:place], copied, *lines[place:]], "graft", copied)


def _read_lines(material: Material) -> tuple[list[str], list[MovableLine]]:
    """All lines of the source, and those of them that may be moved."""
    source = material.source
    return _split(source), _find_movable(source, material.language.rules)


def _split(source: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", source)


def _find_movable(source: str, rules: LexicalRules) -> list[MovableLine]:
    rows = _Rows.of(source, rules)
    ends_in_sign = sum(row[-1].text == ";" for row in rows.tokens if row) * 3 > sum(
        map(bool, rows.tokens)
    )
    found, open_blocks, opened = [], [0], 0
    for number, row in enumerate(rows.tokens):
        whole = number not in rows.crossed
        is_movable = whole and _stands_alone(row, rules, needs_sign=ends_in_sign)
        if is_movable and (len(open_blocks) > 1 or not rules.has_braces):
            found.append(MovableLine(number, open_blocks[-1]))
        for token in row:
            if token.text in _OPENING and token.kind is TokenKind.PUNCTUATION:
                opened += 1
                open_blocks.append(opened)
            elif (
                token.text in _CLOSING
                and token.kind is TokenKind.PUNCTUATION
                and len(open_blocks) > 1
            ):
                open_blocks.pop()
    return found


@dataclass(frozen=True, slots=True)
class _Rows:
    """The tokens of each line without comments, and the lines that a token crosses into."""

    tokens: Sequence[Sequence[Token]]
    crossed: frozenset[int]

    @classmethod
    def of(cls, source: str, rules: LexicalRules) -> "_Rows":
        rows: list[list[Token]] = [[] for _ in range(source.count("\n") + 1)]
        crossed = {len(rows) - 1}  # what has no line end cannot be followed by a line
        number = 0
        for token in lex(source, rules):
            if token.kind not in (TokenKind.COMMENT, TokenKind.NEWLINE):
                rows[number].append(token)
            breaks = token.text.count("\n")
            if breaks and token.kind is not TokenKind.NEWLINE:
                crossed.update(range(number, number + breaks + 1))
            number += breaks
        return cls(rows, frozenset(crossed))


def _stands_alone(row: Sequence[Token], rules: LexicalRules, *, needs_sign: bool) -> bool:
    """Whether the line is a statement, and no declaration that others lean on."""
    if not row or row[0].kind is not TokenKind.NAME or row[0].text.startswith("#"):
        return False
    if any(token.kind is TokenKind.DIRECTIVE for token in row) or not _is_balanced(row):
        return False
    if needs_sign and row[-1].text != ";":
        return False
    text = " ".join(token.text for token in row)
    if _BOUND.match(text) or row[-1].text in (",", "\\", ":"):
        return False
    if not rules.has_braces and _BLOCK.search(text):
        return False
    row = [token for token in row if token.text not in ("*", "&")]
    if rules.has_braces and _TYPED.match(" ".join(token.text for token in row)):
        return row[0].text in _VERBS
    return not _declares(row)


def _is_balanced(row: Sequence[Token]) -> bool:
    depth = 0
    for token in row:
        if token.kind is TokenKind.PUNCTUATION:
            depth += (token.text in _OPENING) - (token.text in _CLOSING)
        if depth < 0:
            return False
    return depth == 0


def _declares(row: Sequence[Token]) -> bool:
    """Whether the line begins with two names, as `int i = 0;` and `let x = 1` do."""
    return len(row) > 1 and row[1].kind is TokenKind.NAME and row[0].text not in _VERBS


def _choose_pair(
    movable: Sequence[MovableLine], random: Random
) -> tuple[MovableLine, MovableLine] | None:
    sizes = Counter(line.block for line in movable)
    shared = [line for line in movable if sizes[line.block] > 1]
    if not shared:
        return None
    first = random.choice(shared)
    others = [line for line in movable if line.block == first.block and line != first]
    return first, random.choice(others)


def _find_line_end(line: str) -> str:
    return "\r\n" if line.endswith("\r\n") else "\n"


def _make_mutant(lines: Sequence[str], verb: str, about: str) -> Mutant:
    text = " ".join(about.split())
    return Mutant("".join(lines), f"{verb} {text if len(text) <= 32 else f'{text[:31]}…'!r}")
