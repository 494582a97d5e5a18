"""`invoke minimise`: leaves out of a commit what does not carry its gain, by measuring."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from loreley.config import Settings
from loreley.errors import JobFailed, JobInterrupted, LoreleyError
from loreley.git.commits import Message, write_commit
from loreley.git.hunks import Piece, Pieces
from loreley.git.objects import ObjectStore
from loreley.map_elites.fitness import Estimate
from loreley.ops.messages import say
from loreley.ops.results.commit_message import one_line
from loreley.ops.results.delta_debugging import Reduction
from loreley.ops.results.export import identity
from loreley.ops.results.local_evaluator import Court, Verdict
from loreley.views.lineage import Lineage

_TRIAL = Message("A part of a candidate")
_SHOWN_LENGTH = 60


class BudgetSpent(LoreleyError):
    """There were as many evaluations as were allowed."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What a smaller change must reach."""

    reference: Estimate  # of the whole change, or of the share of its gain that is to be kept
    confidence: float  # by how many standard errors a candidate may seem worse

    def is_reached_by(self, estimate: Estimate) -> bool:
        """Whether it is as good, as far as the noise allows to tell."""
        return not self.reference.beats(estimate, confidence=self.confidence)

    def is_noisy_for(self, estimate: Estimate) -> bool:
        """Whether one more measurement could tell more."""
        return self.reference.error > 0 or estimate.error > 0


@dataclass(slots=True)
class Trials:
    """Measures smaller and smaller changes; what was measured once is not measured again."""

    store: ObjectStore
    court: Court
    lineage: Lineage
    pieces: Pieces
    bar: Bar
    settings: Settings
    most_evaluations: int
    best: Verdict
    _known: dict[str, bool] = field(default_factory=dict)

    def holds(self, kept: Sequence[Piece]) -> bool:
        """Whether these pieces carry the gain; raises `BudgetSpent` and `JobInterrupted`."""
        tree = self.pieces.tree(kept)
        if tree not in self._known:
            if self.court.evaluations >= self.most_evaluations:
                raise BudgetSpent("the evaluations are spent")
            self._known[tree] = self._measured(tree, kept)
        return self._known[tree]

    def _measured(self, tree: str, kept: Sequence[Piece]) -> bool:
        commit = self.commit(tree, _TRIAL)
        try:
            verdict = self.court.judge(commit)
            reached = self.bar.is_reached_by(verdict.estimate)
            if reached and self.bar.is_noisy_for(verdict.estimate):
                verdict = self.court.judge_again(commit, verdict)
                reached = self.bar.is_reached_by(verdict.estimate)
            seen = f"{self.fitness_of(verdict):.6g}"
        except JobInterrupted:
            raise
        except JobFailed as failure:
            problem = failure.problems[0]
            reached, seen = False, one_line(problem.reason or problem.what)[:_SHOWN_LENGTH]
        if reached:
            self.best = verdict
        number = f"{self.court.evaluations}/{self.most_evaluations}"
        does = "enough" if reached else "not enough"
        say(f"{number:>9}  {len(kept)} of {len(self.pieces.all)} pieces: {does}: {seen}")
        return reached

    def commit(self, tree: str, message: Message) -> str:
        """The tree as a commit on the root."""
        root, author = self.lineage.root_commit, identity(self.settings)
        return write_commit(self.store, tree, root, message, author)

    def fitness_of(self, verdict: Verdict) -> float:
        """The fitness in the metric's own direction."""
        score = verdict.estimate.score
        return score if self.lineage.higher_is_better else -score


def reduced(trials: Trials) -> tuple[list[Piece], str]:
    """The pieces that are needed as far as was measured, and why it ended before its time."""
    reduction = Reduction(trials.pieces.all, trials.holds)
    try:
        reduction.run()
    except BudgetSpent:
        return reduction.kept, f"after {trials.most_evaluations} evaluations, as --evaluations says"
    except JobInterrupted:
        return reduction.kept, "by Ctrl+C; what was left out until then stays out"
    return reduction.kept, ""
