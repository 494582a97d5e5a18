"""Which lines of two texts belong together."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_LARGEST_COMPARISON = 1_000_000  # pairs of lines; beyond, the middle counts as all changed


@dataclass(frozen=True, slots=True)
class Block:
    """``lines`` lines from ``ours`` in one text, equal to as many from ``theirs`` in the other."""

    ours: int
    theirs: int
    lines: int


def align(ours: Sequence[str], theirs: Sequence[str]) -> list[Block]:
    """Equal blocks in order, the last one empty at the end of both; quick on texts much alike."""
    shorter = min(len(ours), len(theirs))
    head = 0
    while head < shorter and ours[head] == theirs[head]:
        head += 1
    tail = 0
    while tail < shorter - head and ours[-1 - tail] == theirs[-1 - tail]:
        tail += 1
    middle = _align_middle(ours[head : len(ours) - tail], theirs[head : len(theirs) - tail])
    return [
        Block(0, 0, head),
        *(Block(head + block.ours, head + block.theirs, block.lines) for block in middle),
        Block(len(ours) - tail, len(theirs) - tail, tail),
        Block(len(ours), len(theirs), 0),
    ]


def _align_middle(ours: Sequence[str], theirs: Sequence[str]) -> list[Block]:
    if len(ours) * len(theirs) > _LARGEST_COMPARISON:
        return []
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    return [Block(*match) for match in matcher.get_matching_blocks() if match.size]
