"""Finding the few of many that matter, by leaving others out; pure.

After the minimising half of delta debugging (Zeller & Hildebrandt 2002): large parts are left out
first, then smaller ones, down to single units.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Unit = TypeVar("Unit")


class DeltaDebugging(Generic[Unit]):
    """``kept`` is what is needed as far as is known; valid at any time, also after an exception."""

    def __init__(self, units: Sequence[Unit], holds: Callable[[Sequence[Unit]], bool]) -> None:
        """``holds`` tells whether units, some of these in their order, are enough."""
        self.kept = list(units)
        self._holds = holds

    def run(self) -> None:
        """Leave out whatever can be left out; no single unit of the rest can be.

        The same units and answers are tried in the same order.
        """
        size = (len(self.kept) + 1) // 2
        while size >= 1 and len(self.kept) > 1:
            has_shrunk = self._pass(size)
            if size == 1 and not has_shrunk:
                return
            size = max(1, size // 2)

    def _pass(self, size: int) -> bool:
        """Try once without each part of ``size`` units; whether any could be left out."""
        before, start = len(self.kept), 0
        while start < len(self.kept):
            rest = self.kept[:start] + self.kept[start + size :]
            if rest and self._holds(rest):
                self.kept = rest
            else:
                start += size
        return len(self.kept) < before
