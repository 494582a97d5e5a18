"""Every try of a tuning: what was tried, how long it took, and what came of it."""

import csv
import gzip
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from loreley.core.agents.genetic.source.literals import Number, write_value
from loreley.core.evaluation.evaluation import Artifact
from loreley.core.tuning.parameters import Parameter

_LARGEST_TEXT_BYTES = 1024 * 1024  # a larger one is packed


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try; without a score it has failed."""

    values: tuple[Number, ...]
    score: float | None
    seconds: float


@dataclass(slots=True)
class Trace:
    """The tries in their order."""

    parameters: Sequence[Parameter]
    tries: list[Attempt] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long all of them took together."""
        return sum(each.seconds for each in self.tries)

    def make_artifact(self, fitness_of: Callable[[float], float]) -> Artifact:
        """The trace as a table, with scores as people see them."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        names = (parameter.name for parameter in self.parameters)
        table.writerow(["try", "fitness", "seconds", *names])
        for number, each in enumerate(self.tries):
            shown = "" if each.score is None else repr(fitness_of(each.score))
            pairs = zip(self.parameters, each.values, strict=True)
            values = (write_value(parameter.literal, value) for parameter, value in pairs)
            table.writerow([number, shown, f"{each.seconds:.4f}", *values])
        content = text.getvalue().encode()
        if len(content) <= _LARGEST_TEXT_BYTES:
            return Artifact("tune-trace.csv", "text/csv", content)
        return Artifact("tune-trace.csv.gz", "application/gzip", gzip.compress(content, mtime=0))
