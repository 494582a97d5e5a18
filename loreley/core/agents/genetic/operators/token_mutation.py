"""Operators that put another sign for one, in any language: arithmetic, comparison, condition."""

from functools import partial
from random import Random

from loreley.core.agents.genetic.operators.material import Material, Mutant
from loreley.core.agents.genetic.source.lexer import Token, TokenKind, lex

Family = tuple[str, ...]

_ARITHMETIC: tuple[Family, ...] = (
    ("+", "-", "*", "/", "%"),
    ("&", "|", "^", "<<", ">>"),
    ("+=", "-=", "*=", "/="),
    ("&=", "|=", "^="),
)
_COMPARISONS: tuple[Family, ...] = (("<", "<=", ">", ">=", "==", "!="),)
_BOOLEANS: tuple[Family, ...] = (("&&", "||"), ("and", "or"))
_TRUTHS: tuple[Family, ...] = (("true", "false"), ("True", "False"), ("TRUE", "FALSE"))
_SWAPPABLE = frozenset({"-", "/", "%", "<", "<=", ">", ">=", "<<", ">>"})
_BINDING = frozenset({".", "->", "::", "(", "[", "++", "--"})
_OPERANDS = frozenset({TokenKind.NAME, TokenKind.NUMBER, TokenKind.STRING})


def operands(material: Material, random: Random) -> Mutant | None:
    """Let two plain operands of one sign change places."""
    tokens = lex(material.source, material.language.rules)
    places = [
        place
        for place, token in enumerate(tokens)
        if token.text in _SWAPPABLE and _joins(tokens, place) and _are_plain(tokens, place)
    ]
    if not places:
        return None
    left, sign, right = tokens[(place := random.choice(places)) - 1 : place + 2]
    if left.text == right.text:
        return None
    between = (material.source[left.end : sign.end], material.source[sign.end : right.start])
    turned = f"{right.text}{between[0]}{between[1]}{left.text}"
    source = material.source[: left.start] + turned + material.source[right.end :]
    return Mutant(source, f"turn {left.text} {sign.text} {right.text} around"[:60])


def _replace_operator(
    material: Material, random: Random, families: tuple[Family, ...]
) -> Mutant | None:
    """Put another token of its family in the place of one."""
    family_of = {sign: family for family in families for sign in family}
    tokens = lex(material.source, material.language.rules)
    places = [
        place
        for place, token in enumerate(tokens)
        if token.text in family_of and (token.kind is TokenKind.NAME or _joins(tokens, place))
    ]
    if not places:
        return None
    old = tokens[random.choice(places)]
    new = random.choice([sign for sign in family_of[old.text] if sign != old.text])
    source = material.source[: old.start] + new + material.source[old.end :]
    return Mutant(source, f"put {new} for {old.text}")


arithmetic = partial(_replace_operator, families=_ARITHMETIC)
comparison = partial(_replace_operator, families=_COMPARISONS)
boolean = partial(_replace_operator, families=_BOOLEANS)
truth = partial(_replace_operator, families=_TRUTHS)


def _are_plain(tokens: tuple[Token, ...], place: int) -> bool:
    """Whether both operands are single tokens that belong to nothing else."""
    before = tokens[place - 2].text if place > 1 else ""
    after = tokens[place + 2].text if place + 2 < len(tokens) else ""
    plain = tokens[place - 1].kind in _OPERANDS and tokens[place + 1].kind in _OPERANDS
    return plain and before not in _BINDING and after not in _BINDING


def _joins(tokens: tuple[Token, ...], place: int) -> bool:
    """Whether a sign stands between two operands, set off by white space as people write it.

    Without the white space it may be a pointer, a reference or a bracket of a type.
    """
    if not 0 < place < len(tokens) - 1:
        return False
    left, sign, right = tokens[place - 1 : place + 2]
    is_apart = left.end < sign.start and sign.end < right.start
    ends_operand = left.kind in _OPERANDS or left.text in (")", "]")
    begins_operand = right.kind in _OPERANDS or right.text in ("(", "-", "!", "~", "*", "&")
    return is_apart and ends_operand and begins_operand
