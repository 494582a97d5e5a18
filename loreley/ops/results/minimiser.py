"""`invoke minimise`: leaves out of a commit what does not carry its gain, by measuring."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from loreley.config import Settings
from loreley.core.sandbox.child_output import one_line
from loreley.core.worker.repository import commit_author
from loreley.errors import JobFailed, JobInterrupted, LoreleyError
from loreley.git.commits import CommitMessage, write_commit
from loreley.git.hunks import Piece, Pieces
from loreley.git.objects import ObjectStore
from loreley.map_elites.fitness import Estimate
from loreley.ops.messages import say
from loreley.ops.results.delta_debugging import DeltaDebugging
from loreley.ops.results.local_evaluator import LocalEvaluator, Measurement
from loreley.views.lineage import Lineage

_TRIAL = CommitMessage("A part of a candidate")
_SHOWN_LENGTH = 60


class BudgetSpent(LoreleyError):
    """There were as many evaluations as were allowed."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a smaller change must reach."""

    reference: Estimate  # of the whole change, or of the share of its gain that is to be kept

    def is_reached_by(self, estimate: Estimate) -> bool:
        """Whether it is as good, as far as the noise allows to tell."""
        return not self.reference.beats(estimate)

    def is_noisy_for(self, estimate: Estimate) -> bool:
        """Whether one more measurement could tell more."""
        return self.reference.error > 0 or estimate.error > 0


@dataclass(slots=True)
class Minimiser:
    """Measures smaller and smaller changes; what was measured once is not measured again."""

    store: ObjectStore
    evaluator: LocalEvaluator
    lineage: Lineage
    pieces: Pieces
    threshold: Threshold
    settings: Settings
    most_evaluations: int
    best: Measurement
    _known: dict[str, bool] = field(default_factory=dict)

    def run(self) -> tuple[list[Piece], str]:
        """The pieces that are needed as far as was measured, and why it ended before its time."""
        search = DeltaDebugging(self.pieces.all, self._holds)
        try:
            search.run()
        except BudgetSpent:
            return search.kept, f"after {self.most_evaluations} evaluations, as --evaluations says"
        except JobInterrupted:
            return search.kept, "by Ctrl+C; what was left out until then stays out"
        return search.kept, ""

    def _holds(self, kept: Sequence[Piece]) -> bool:
        """Whether these pieces carry the gain; raises `BudgetSpent` and `JobInterrupted`."""
        tree = self.pieces.tree(kept)
        if tree not in self._known:
            if self.evaluator.evaluations >= self.most_evaluations:
                raise BudgetSpent("the evaluations are spent")
            self._known[tree] = self._measure(tree, kept)
        return self._known[tree]

    def _measure(self, tree: str, kept: Sequence[Piece]) -> bool:
        commit = self.commit(tree, _TRIAL)
        try:
            measurement = self.evaluator.judge(commit)
            reached = self.threshold.is_reached_by(measurement.estimate)
            if reached and self.threshold.is_noisy_for(measurement.estimate):
                measurement = self.evaluator.judge_again(commit, measurement)
                reached = self.threshold.is_reached_by(measurement.estimate)
            seen = f"{self.fitness_of(measurement):.6g}"
        except JobInterrupted:
            raise
        except JobFailed as failure:
            problem = failure.problems[0]
            reached, seen = False, one_line(problem.reason or problem.what)[:_SHOWN_LENGTH]
        if reached:
            self.best = measurement
        number = f"{self.evaluator.evaluations}/{self.most_evaluations}"
        does = "enough" if reached else "not enough"
        say(f"{number:>9}  {len(kept)} of {len(self.pieces.all)} pieces: {does}: {seen}")
        return reached

    def commit(self, tree: str, message: CommitMessage) -> str:
        """The tree as a commit on the root."""
        root, author = self.store.facts(self.lineage.root_commit), commit_author(self.settings)
        return write_commit(self.store, tree, root, message, author)

    def fitness_of(self, measurement: Measurement) -> float:
        """The fitness in the metric's own direction."""
        return self.lineage.objective.fitness(measurement.estimate.score)
