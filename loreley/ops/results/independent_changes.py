"""Splits a change into those that are better than the root each by itself, by measuring."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from loreley.errors import JobInterrupted
from loreley.git.hunks import Piece
from loreley.ops.results.comparison import Answer
from loreley.ops.results.delta_debugging import DeltaDebugging
from loreley.ops.results.whole_change import BudgetSpent

_NEARBY_LINES = 3  # hunks with fewer lines between them are one, as git would not merge them
_MOST_CHANGES = 10

Block = tuple[Piece, ...]
"""Pieces that stay together."""


@dataclass(frozen=True, slots=True)
class IndependentChange:
    """A part that is better than the root without the others."""

    pieces: tuple[Piece, ...]
    answer: Answer


@dataclass(slots=True)
class Splitter:
    """Looks for parts that are better than the root by themselves; each piece is in one of them.

    The smallest such part is taken out, and the next is looked for in the rest. What is no better
    alone joins the part with which it is.
    """

    ask: Callable[[Sequence[Piece]], Answer]  # whether pieces alone are better than the root
    changes: list[IndependentChange] = field(default_factory=list)
    _answers: dict[tuple[Piece, ...], Answer] = field(default_factory=dict)

    def run(self, pieces: Sequence[Piece]) -> str:
        """Fill ``changes`` with two or more; else why there are none."""
        rest = find_blocks(pieces)
        if len(rest) < 2:
            return "what is left stands in one place"
        try:
            found = self._find(rest)
        except BudgetSpent:
            return "the evaluations were used up before it was split"
        except JobInterrupted:
            return "Ctrl+C came before it was split"
        if len(found) < 2:
            return "no part of what is left is better than the root without the others"
        self.changes = [
            IndependentChange(flat, self._answer(change))
            for change in found
            if (flat := _flatten(change))
        ]
        return ""

    def _find(self, rest: list[Block]) -> list[list[Block]]:
        found: list[list[Block]] = []
        while rest and len(found) < _MOST_CHANGES and self._is_better(rest):
            search = DeltaDebugging(rest, self._is_better)
            search.run()
            found.append(search.kept)
            rest = [block for block in rest if block not in search.kept]
        return self._join(found, rest) if rest else found

    def _join(self, found: list[list[Block]], rest: list[Block]) -> list[list[Block]]:
        """The parts with what is no better alone in the one that it makes better."""
        for place, change in enumerate(found):
            together = [*change, *rest]
            alone, joined = self._answer(change).score, self._answer(together).score
            assert alone is not None  # it is better than the root
            if self._is_better(together) and joined is not None and joined > alone:
                return [*found[:place], together, *found[place + 1 :]]
        return []

    def _is_better(self, blocks: Sequence[Block]) -> bool:
        return self._answer(blocks).is_enough

    def _answer(self, blocks: Sequence[Block]) -> Answer:
        pieces = _flatten(blocks)
        if pieces not in self._answers:
            self._answers[pieces] = self.ask(pieces)
        return self._answers[pieces]


def find_blocks(pieces: Sequence[Piece]) -> list[Block]:
    """The pieces in their order, those of one file together that stand close to each other."""
    blocks: list[Block] = []
    for piece in pieces:
        last = blocks[-1][-1] if blocks else None
        if last is not None and _are_close(last, piece):
            blocks[-1] = (*blocks[-1], piece)
        else:
            blocks.append((piece,))
    return blocks


def _are_close(first: Piece, second: Piece) -> bool:
    if first.path != second.path:
        return False
    if not (first.is_hunk and second.is_hunk):
        return True
    return second.start - (first.start + first.old_count) < _NEARBY_LINES


def _flatten(blocks: Sequence[Block]) -> tuple[Piece, ...]:
    return tuple(piece for block in blocks for piece in block)
