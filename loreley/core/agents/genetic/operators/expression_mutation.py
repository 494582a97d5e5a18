"""Operators that change arithmetic, comparisons, conditions and the order of operands."""

from functools import partial
from random import Random
from typing import cast

import libcst as cst

from loreley.core.agents.genetic.operators.material import Material, Mutant
from loreley.core.agents.genetic.source.syntax_tree import (
    find_nodes,
    parse,
    read_code,
    replace_node,
    shorten_code,
)

Family = tuple[type[cst.CSTNode], ...]

_ARITHMETIC: tuple[Family, ...] = (
    (cst.Add, cst.Subtract, cst.Multiply, cst.Divide, cst.FloorDivide, cst.Modulo, cst.Power),
    (cst.BitAnd, cst.BitOr, cst.BitXor, cst.LeftShift, cst.RightShift),
    (cst.AddAssign, cst.SubtractAssign, cst.MultiplyAssign, cst.DivideAssign),
    (cst.BitAndAssign, cst.BitOrAssign, cst.BitXorAssign),
)
_COMPARISONS: tuple[Family, ...] = (
    (
        cst.LessThan,
        cst.LessThanEqual,
        cst.GreaterThan,
        cst.GreaterThanEqual,
        cst.Equal,
        cst.NotEqual,
    ),
    (cst.In, cst.NotIn),
    (cst.Is, cst.IsNot),
)
_BOOLEANS: tuple[Family, ...] = ((cst.And, cst.Or),)
_OPPOSITES = {"True": "False", "False": "True"}


def truth(material: Material, random: Random) -> Mutant | None:
    """Turn `True` into `False` or back, or the condition of an `if` or `while` around."""
    module = parse(material.source)
    if module is None:
        return None
    names = [name for name in find_nodes(module, cst.Name) if name.value in _OPPOSITES]
    tests = [branch.test for branch in find_nodes(module, cst.If)]
    tests += [loop.test for loop in find_nodes(module, cst.While)]
    tests += [choice.test for choice in find_nodes(module, cst.IfExp)]
    if not (choices := [*names, *tests]):
        return None
    chosen = random.choice(choices)
    if isinstance(chosen, cst.Name) and chosen.value in _OPPOSITES:
        return _exchange(module, chosen, chosen.with_changes(value=_OPPOSITES[chosen.value]))
    return _exchange(module, chosen, _negate(chosen))


def operands(material: Material, random: Random) -> Mutant | None:
    """Let the two sides of an operation, or two neighbouring arguments, change places."""
    module = parse(material.source)
    if module is None:
        return None
    calls = [call for call in find_nodes(module, cst.Call) if _find_swappable(call)]
    choices: list[cst.BinaryOperation | cst.Call] = [
        *find_nodes(module, cst.BinaryOperation),
        *calls,
    ]
    if not choices:
        return None
    chosen = random.choice(choices)
    if not isinstance(chosen, cst.Call):
        return _exchange(module, chosen, _swap_operands(chosen))
    left = random.choice(_find_swappable(chosen))
    values = [argument.value for argument in chosen.args]
    values[left], values[left + 1] = values[left + 1], values[left]
    arguments = [
        argument.with_changes(value=value)
        for argument, value in zip(chosen.args, values, strict=True)
    ]
    return _exchange(module, chosen, chosen.with_changes(args=arguments))


def _replace_operator(
    material: Material, random: Random, families: tuple[Family, ...]
) -> Mutant | None:
    """Put another operator of its family in the place of one."""
    module = parse(material.source)
    if module is None:
        return None
    family_of = {kind: family for family in families for kind in family}
    if not (signs := find_nodes(module, *family_of)):
        return None
    old = random.choice(signs)
    kind = random.choice([kind for kind in family_of[type(old)] if kind is not type(old)])
    spaced = cast("cst.Add", old)  # every sign of these families has the same two spaces
    new = kind(
        whitespace_before=spaced.whitespace_before,  # type: ignore[call-arg]
        whitespace_after=spaced.whitespace_after,
    )
    return Mutant(
        replace_node(module, old, new), f"put {_write_operator(new)} for {_write_operator(old)}"
    )


arithmetic = partial(_replace_operator, families=_ARITHMETIC)
comparison = partial(_replace_operator, families=_COMPARISONS)
boolean = partial(_replace_operator, families=_BOOLEANS)


def _exchange(module: cst.Module, old: cst.CSTNode, new: cst.CSTNode) -> Mutant | None:
    source = replace_node(module, old, new)
    if source == read_code(module):
        return None
    return Mutant(source, f"put {shorten_code(module, new)!r} for {shorten_code(module, old)!r}")


def _write_operator(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node).strip()


def _find_swappable(call: cst.Call) -> list[int]:
    """Where a plain positional argument is followed by another."""
    plain = [not argument.star and argument.keyword is None for argument in call.args]
    return [place for place in range(len(plain) - 1) if plain[place] and plain[place + 1]]


def _swap_operands(operation: cst.BinaryOperation) -> cst.BinaryOperation:
    return operation.with_changes(
        left=_parenthesise(operation.right), right=_parenthesise(operation.left)
    )


def _negate(test: cst.BaseExpression) -> cst.BaseExpression:
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return test.expression
    return cst.UnaryOperation(cst.Not(), _parenthesise(test))


def _parenthesise(expression: cst.BaseExpression) -> cst.BaseExpression:
    """The expression in parentheses, unless it holds together without."""
    whole = (cst.BaseNumber, cst.BaseString, cst.Name, cst.Attribute, cst.Call, cst.Subscript)
    if expression.lpar or isinstance(expression, whole):
        return expression
    return expression.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
