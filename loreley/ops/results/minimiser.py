"""`invoke minimise`: leaves out of a commit what does not carry its gain, by measuring."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from loreley.config import Settings
from loreley.core.evaluation.paired_test import Difference, Verdict
from loreley.core.worker.repository import commit_author
from loreley.db.confirmations import Confirmed
from loreley.errors import JobInterrupted
from loreley.git.commits import CommitMessage, write_commit
from loreley.git.hunks import Piece, Pieces
from loreley.git.objects import ObjectStore
from loreley.ops.messages import say
from loreley.ops.results.comparison import Answer
from loreley.ops.results.delta_debugging import DeltaDebugging
from loreley.ops.results.independent_changes import IndependentChange, Splitter
from loreley.ops.results.whole_change import BudgetSpent, Judge, WholeChange
from loreley.views.gains import Gain, describe_gain
from loreley.views.lineage import Lineage

_TRIAL = CommitMessage("A part of a candidate")


@dataclass(slots=True)
class Minimiser:
    """Measures smaller and smaller changes; what was measured once is not measured again."""

    settings: Settings
    store: ObjectStore
    judge: Judge
    lineage: Lineage
    pieces: Pieces
    whole: WholeChange
    kept: list[Piece] = field(default_factory=list)
    _best: tuple[str, Answer] | None = None  # the smallest part that is enough; None: the whole
    _known: dict[str, bool] = field(default_factory=dict)

    def run(self) -> str:
        """Reduce ``kept`` as far as can be measured; why it ended before its time, if it did.

        Hunks first, then the lines of those that are needed; then lines that took the place of
        another which had to go, while they themselves do nothing.
        """
        self.kept = list(self.pieces.all)
        try:
            self._reduce(self.kept)
            lines = [line for piece in self.kept for line in self.pieces.split(piece)]
            if len(lines) > len(self.kept):
                self._reduce(lines)
            self._drop_replacements()
        except BudgetSpent:
            return f"after {self.judge.most_evaluations} evaluations, as --evaluations says"
        except JobInterrupted:
            return "by Ctrl+C; what was left out until then stays out"
        return ""

    @property
    def best(self) -> Answer:
        """What was measured of what is kept."""
        return self._best[1] if self._best else self.whole.answer

    @property
    def best_commit(self) -> str:
        """The commit that was measured with what is kept."""
        return self._best[0] if self._best else self.lineage.last.commit

    @property
    def gain(self) -> Gain | None:
        """Whether what is kept is better than the root."""
        return self.describe_gain(self.best) or self.lineage.confirmation

    def describe_gain(self, answer: Answer) -> Gain | None:
        """What was seen of a part that is better than the root; None: it was measured once only."""
        difference, objective = answer.difference, self.lineage.objective
        if difference is None and self.whole.exact_pairs:
            assert answer.score is not None  # it is enough
            gained = answer.score - self.whole.root_score
            difference = Difference(gained, 0.0, self.whole.exact_pairs)
        if difference is None:
            return None
        known = Confirmed(self.best_commit, Verdict.CONFIRMED, difference, "", None)
        unit = next(
            (each.unit for each in self.lineage.metrics if each.name == objective.metric), None
        )
        return describe_gain(known, objective, unit)

    @property
    def fitness(self) -> float:
        """Of what is kept, in the metric's own direction."""
        return self.fitness_of(self.best)

    def fitness_of(self, answer: Answer) -> float:
        """Of a part that is enough, in the metric's own direction."""
        assert answer.score is not None
        return self.lineage.objective.fitness(answer.score)

    def split(self) -> tuple[list[IndependentChange], str]:
        """What is kept as changes that are better than the root each alone, or why it is not."""
        splitter = Splitter(self._ask_alone)
        reason = splitter.run(self.kept)
        return splitter.changes, reason

    def commit(self, tree: str, message: CommitMessage) -> str:
        """The tree as a commit on the root."""
        root, author = self.store.facts(self.lineage.root_commit), commit_author(self.settings)
        return write_commit(self.store, tree, root, message, author)

    def _reduce(self, units: Sequence[Piece]) -> None:
        search = DeltaDebugging(units, self._holds)
        try:
            search.run()
        finally:
            self.kept = search.kept

    def _drop_replacements(self) -> None:
        for place, piece in enumerate(self.kept):
            if not (piece.is_hunk and piece.old_count and piece.new_lines):
                continue
            rest = [*self.kept[:place], piece.without_new(), *self.kept[place + 1 :]]
            if self._holds(rest):
                self.kept = rest

    def _holds(self, kept: Sequence[Piece]) -> bool:
        """Whether these pieces carry the gain; raises `BudgetSpent` and `JobInterrupted`."""
        tree = self.pieces.tree(kept)
        if tree not in self._known:
            self._known[tree] = self._ask(tree, kept)
        return self._known[tree]

    def _ask(self, tree: str, kept: Sequence[Piece]) -> bool:
        commit = self.commit(tree, _TRIAL)
        answer = self.whole.comparison.ask(commit)
        if answer.is_enough:
            self._best = commit, answer
        self._say(kept, answer, "enough" if answer.is_enough else "not enough")
        return answer.is_enough

    def _ask_alone(self, pieces: Sequence[Piece]) -> Answer:
        answer = self.whole.alone.ask(self.commit(self.pieces.tree(pieces), _TRIAL))
        better = "better" if answer.is_enough else "not better"
        self._say(pieces, answer, f"{better} than the root alone")
        return answer

    def _say(self, pieces: Sequence[Piece], answer: Answer, words: str) -> None:
        seen = answer.reason if answer.score is None else f"{self.fitness_of(answer):.6g}"
        lines = f"{count_lines(pieces)} of {count_lines(self.pieces.all)} lines"
        say(f"{self.judge.used:>9}  {lines}: {words}: {seen}")


def count_lines(pieces: Sequence[Piece]) -> int:
    """How many lines the pieces change."""
    return sum(piece.changed_lines for piece in pieces)
