"""Operators that delete, copy and reorder statements."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import libcst as cst

from loreley.core.agents.genetic.operators.material import Material, Mutant
from loreley.core.agents.genetic.source.syntax_tree import (
    find_nodes,
    parse,
    read_code,
    replace_node,
    shorten_code,
)

Statement = cst.BaseStatement | cst.EmptyLine
_FIXED = (cst.FunctionDef, cst.ClassDef)
_FIXED_SMALL = (cst.Import, cst.ImportFrom, cst.Global, cst.Nonlocal)


@dataclass(frozen=True, slots=True)
class Spot:
    """A statement that may be changed: number ``index`` of ``block``."""

    block: cst.Module | cst.IndentedBlock
    index: int

    @property
    def statement(self) -> cst.BaseStatement:
        """The statement itself."""
        return self.block.body[self.index]


def delete(material: Material, random: Random) -> Mutant | None:
    """Leave a statement out."""
    module = parse(material.source)
    if module is None or not (spots := _find_spots(module)):
        return None
    spot = random.choice(spots)
    rest = [*spot.block.body[: spot.index], *spot.block.body[spot.index + 1 :]]
    if not rest and isinstance(spot.block, cst.IndentedBlock):
        rest = [cst.SimpleStatementLine([cst.Pass()])]
    return _make_mutant(module, spot, rest, "delete")


def duplicate(material: Material, random: Random) -> Mutant | None:
    """Write a statement a second time, there or further down in its block."""
    module = parse(material.source)
    if module is None or not (spots := _find_spots(module)):
        return None
    spot = random.choice(spots)
    body = spot.block.body
    place = random.choice([spot.index + 1, random.randint(spot.index + 1, len(body))])
    return _make_mutant(
        module, spot, [*body[:place], _without_comments(spot.statement), *body[place:]], "duplicate"
    )


def swap(material: Material, random: Random) -> Mutant | None:
    """Let two statements of one block change places."""
    module = parse(material.source)
    if module is None:
        return None
    spots = _find_spots(module)
    sizes = Counter(id(spot.block) for spot in spots)
    shared = [spot for spot in spots if sizes[id(spot.block)] > 1]
    if not shared:
        return None
    first = random.choice(shared)
    second = random.choice(
        [spot for spot in spots if spot.block is first.block and spot.index != first.index]
    )
    body = list(first.block.body)
    body[first.index], body[second.index] = body[second.index], body[first.index]
    return _make_mutant(module, first, body, "swap")


def move(material: Material, random: Random) -> Mutant | None:
    """Take a statement to another place of its block."""
    module = parse(material.source)
    if module is None:
        return None
    spots = [spot for spot in _find_spots(module) if len(spot.block.body) > 1]
    if not spots:
        return None
    spot = random.choice(spots)
    rest = [*spot.block.body[: spot.index], *spot.block.body[spot.index + 1 :]]
    place = random.choice([place for place in range(len(rest) + 1) if place != spot.index])
    return _make_mutant(module, spot, [*rest[:place], spot.statement, *rest[place:]], "move")


def graft(material: Material, random: Random) -> Mutant | None:
    """Copy a statement from another block, another file or an inspiration into a block."""
    module = parse(material.source)
    if module is None or not (spots := _find_spots(module)):
        return None
    donor = parse(random.choice([material.source, *material.donors]))
    offered = [] if donor is None else _find_spots(donor)
    inside = [spot for spot in spots if isinstance(spot.block, cst.IndentedBlock)]
    if donor is None or not offered or not inside:
        return None
    spot, graft = random.choice(inside), random.choice(offered).statement
    place = spot.index + random.randint(0, 1)
    body = [*spot.block.body[:place], _without_comments(graft), *spot.block.body[place:]]
    source = _with_body(module, spot, body)
    return Mutant(source, f"graft {shorten_code(donor, _without_comments(graft))!r}")


def _find_spots(module: cst.Module) -> list[Spot]:
    """The statements that may be changed: no definitions, imports, docstrings or declarations."""
    blocks: list[cst.Module | cst.IndentedBlock] = [module, *find_nodes(module, cst.IndentedBlock)]
    return [
        Spot(block, index)
        for block in blocks
        for index, statement in enumerate(block.body)
        if _may_change(statement)
    ]


def _may_change(statement: cst.BaseStatement) -> bool:
    if not isinstance(statement, cst.SimpleStatementLine):
        return not isinstance(statement, _FIXED)
    return not any(
        isinstance(small, _FIXED_SMALL)
        or (isinstance(small, cst.Expr) and isinstance(small.value, _STRINGS))
        for small in statement.body
    )


_STRINGS = (cst.SimpleString, cst.ConcatenatedString)


def _without_comments(statement: cst.BaseStatement) -> cst.BaseStatement:
    """The statement without the comments and blank lines above it."""
    return statement.with_changes(leading_lines=())


def _make_mutant(
    module: cst.Module, spot: Spot, body: Sequence[cst.BaseStatement], verb: str
) -> Mutant | None:
    source = _with_body(module, spot, body)
    if source == read_code(module):
        return None
    return Mutant(source, f"{verb} {shorten_code(module, _without_comments(spot.statement))!r}")


def _with_body(module: cst.Module, spot: Spot, body: Sequence[cst.BaseStatement]) -> str:
    return replace_node(module, spot.block, spot.block.with_changes(body=body))
