"""Operators that delete, copy and reorder statements."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import libcst as cst

from loreley.core.agents.genetic.operators.material import Material, Mutant
from loreley.core.agents.genetic.source.syntax import brief, found, parsed, replaced

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
    module = parsed(material.source)
    if module is None or not (spots := _spots(module)):
        return None
    spot = random.choice(spots)
    rest = [*spot.block.body[: spot.index], *spot.block.body[spot.index + 1 :]]
    if not rest and isinstance(spot.block, cst.IndentedBlock):
        rest = [cst.SimpleStatementLine([cst.Pass()])]
    return _changed(module, spot, rest, "delete")


def duplicate(material: Material, random: Random) -> Mutant | None:
    """Write a statement a second time, there or further down in its block."""
    module = parsed(material.source)
    if module is None or not (spots := _spots(module)):
        return None
    spot = random.choice(spots)
    body = spot.block.body
    place = random.choice([spot.index + 1, random.randint(spot.index + 1, len(body))])
    return _changed(
        module, spot, [*body[:place], _bare(spot.statement), *body[place:]], "duplicate"
    )


def swap(material: Material, random: Random) -> Mutant | None:
    """Let two statements of one block change places."""
    module = parsed(material.source)
    if module is None:
        return None
    spots = _spots(module)
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
    return _changed(module, first, body, "swap")


def move(material: Material, random: Random) -> Mutant | None:
    """Take a statement to another place of its block."""
    module = parsed(material.source)
    if module is None:
        return None
    spots = [spot for spot in _spots(module) if len(spot.block.body) > 1]
    if not spots:
        return None
    spot = random.choice(spots)
    rest = [*spot.block.body[: spot.index], *spot.block.body[spot.index + 1 :]]
    place = random.choice([place for place in range(len(rest) + 1) if place != spot.index])
    return _changed(module, spot, [*rest[:place], spot.statement, *rest[place:]], "move")


def graft(material: Material, random: Random) -> Mutant | None:
    """Copy a statement from another block, another file or an inspiration into a block."""
    module = parsed(material.source)
    if module is None or not (spots := _spots(module)):
        return None
    donor = parsed(random.choice([material.source, *material.donors]))
    offered = [] if donor is None else _spots(donor)
    inside = [spot for spot in spots if isinstance(spot.block, cst.IndentedBlock)]
    if donor is None or not offered or not inside:
        return None
    spot, graft = random.choice(inside), random.choice(offered).statement
    place = spot.index + random.randint(0, 1)
    body = [*spot.block.body[:place], _bare(graft), *spot.block.body[place:]]
    source = _with_body(module, spot, body)
    return Mutant(source, f"graft {brief(donor, _bare(graft))!r}")


def _spots(module: cst.Module) -> list[Spot]:
    """The statements that may be changed: no definitions, imports, docstrings or declarations."""
    blocks: list[cst.Module | cst.IndentedBlock] = [module, *found(module, cst.IndentedBlock)]
    return [
        Spot(block, index)
        for block in blocks
        for index, statement in enumerate(block.body)
        if _is_free(statement)
    ]


def _is_free(statement: cst.BaseStatement) -> bool:
    if not isinstance(statement, cst.SimpleStatementLine):
        return not isinstance(statement, _FIXED)
    return not any(
        isinstance(small, _FIXED_SMALL)
        or (isinstance(small, cst.Expr) and isinstance(small.value, _STRINGS))
        for small in statement.body
    )


_STRINGS = (cst.SimpleString, cst.ConcatenatedString)


def _bare(statement: cst.BaseStatement) -> cst.BaseStatement:
    """The statement without the comments and blank lines above it."""
    return statement.with_changes(leading_lines=())


def _changed(
    module: cst.Module, spot: Spot, body: Sequence[cst.BaseStatement], verb: str
) -> Mutant | None:
    source = _with_body(module, spot, body)
    if source == module.code:
        return None
    return Mutant(source, f"{verb} {brief(module, _bare(spot.statement))!r}")


def _with_body(module: cst.Module, spot: Spot, body: Sequence[cst.BaseStatement]) -> str:
    return replaced(module, spot.block, spot.block.with_changes(body=body))
