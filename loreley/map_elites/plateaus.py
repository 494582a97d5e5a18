"""When the best stays where it is for longer than it usually does; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from statistics import fmean

_LEAST = 50  # jobs
_TIMES = 3.0  # as long as the latest moves have taken
_LATEST = 10


@dataclass(frozen=True, slots=True)
class Plateau:
    """Jobs during which the best did not move, from the one at which that was noticed."""

    begin: int  # ordinal of a job
    end: int | None = None  # the job that made a better commit; None: it lasts


def find_plateaus(moves: Sequence[int], now: int) -> tuple[Plateau, ...]:
    """The plateaus up to job ``now``; ``moves`` are the jobs that made a best commit, ascending."""
    found: list[Plateau] = []
    gaps: list[int] = []
    for move, following in zip_longest(moves, moves[1:]):
        begin = move + _patience(gaps)
        if (now if following is None else following) > begin:
            found.append(Plateau(begin, following))
        if following is not None:
            gaps.append(following - move)
    return tuple(found)


def _patience(gaps: Sequence[int]) -> int:
    """How many jobs are waited for, by those that earlier moves took."""
    return max(_LEAST, round(_TIMES * fmean(gaps[-_LATEST:]))) if gaps else _LEAST
