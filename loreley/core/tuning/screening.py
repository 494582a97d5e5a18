"""Which numbers are worth tuning: not those that move nothing, nor those that break the program."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from loreley.core.agents.genetic.source.literals import Number
from loreley.core.tuning.parameters import Parameter

MOST_FOR_TPE = 20  # numbers; more are better left to an evolution strategy
SMALL_STEP = 0.1
Try = Callable[[Sequence[Number]], float | None]
"""Tries values: their score, higher is better; None where they fail."""


@dataclass(frozen=True, slots=True)
class Screened:
    """The numbers, by their place among all, that move the score and break nothing."""

    kept: tuple[int, ...]
    idle: tuple[int, ...] = ()
    breaking: tuple[int, ...] = ()
    fragile: tuple[int, ...] = ()  # of the kept ones: they bear small steps only


@dataclass(slots=True)
class Screening:
    """Moves numbers together, by file and then by halves, until it is clear or tries are spent.

    What is not clear by then is kept. Few numbers are told apart only where they break the program:
    their optimiser finds out which of the others count. Numbers of one statement are idle together
    or not at all: what has no effect now may have some once its neighbours are others.
    """

    parameters: Sequence[Parameter]
    start_score: float
    try_values: Try
    most_tries: int
    _tries: int = 0
    _idle: list[int] = field(default_factory=list)
    _breaking: list[int] = field(default_factory=list)
    _fragile: list[int] = field(default_factory=list)

    def screen(self) -> Screened:
        """Find out, at two tries for each group of numbers that is looked at, or four."""
        pending = deque(self._group())
        while pending and self._tries < self.most_tries:
            group = pending.popleft()
            scores = self._try_both_ways(group, 1.0)
            if scores == {None} and (scores := self._try_both_ways(group, SMALL_STEP)) != {None}:
                self._fragile += group
                continue
            if scores == {self.start_score}:
                self._idle += group
            elif scores == {None} and len(group) == 1:
                self._breaking += group
            elif scores == {None} or (self._are_many and self._holds_statements(group)):
                pending += self._halve(group)
        out = {*self._idle, *self._breaking}
        kept = tuple(place for place in range(len(self.parameters)) if place not in out)
        return Screened(
            kept,
            tuple(sorted(self._idle)),
            tuple(sorted(self._breaking)),
            tuple(sorted(self._fragile)),
        )

    @property
    def _are_many(self) -> bool:
        return len(self.parameters) > MOST_FOR_TPE

    def _holds_statements(self, group: Sequence[int]) -> bool:
        return self.parameters[group[0]].group != self.parameters[group[-1]].group

    def _halve(self, group: list[int]) -> list[list[int]]:
        """Two halves, cut between statements where there are several."""
        groups = [self.parameters[place].group for place in group]
        cuts = [cut for cut in range(1, len(group)) if groups[cut] != groups[cut - 1]]
        middle = min(cuts or [len(group) // 2], key=lambda cut: abs(2 * cut - len(group)))
        return [group[:middle], group[middle:]]

    def _group(self) -> list[list[int]]:
        by_file: dict[str, list[int]] = {}
        for place, parameter in enumerate(self.parameters):
            by_file.setdefault(parameter.path, []).append(place)
        return list(by_file.values())

    def _try_both_ways(self, group: Sequence[int], step: float) -> set[float | None]:
        self._tries += 2
        return {self.try_values(self._move(group, way * step)) for way in (1.0, -1.0)}

    def _move(self, group: Sequence[int], way: float) -> list[Number]:
        values = [parameter.literal.value for parameter in self.parameters]
        for place in group:
            # Up and down in turn: what is wide as a whole stays so.
            parameter = self.parameters[place]
            values[place] = parameter.move(way if place % 2 else -way)
        return values
