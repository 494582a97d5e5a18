"""The whole judgement of a candidate: cheap stages first, the full evaluation as often as asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from loguru import logger

from loreley.core.evaluation.evaluation import Evaluation, merged
from loreley.core.evaluation.evaluator import Evaluator, Judgement
from loreley.errors import CandidateRejected
from loreley.host.deadline import Deadline
from loreley.map_elites.fitness import Constraint

# Of the root commit, where nobody says how often it is measured:
_LEAST_RUNS, EXACT_RUNS, _MOST_RUNS = 2, 3, 5
_NOISE_SECONDS = 60.0


class CandidateTree(Protocol):
    """A checked-out commit that can be made clean again, such as a `Worktree`."""

    @property
    def path(self) -> Path:
        """The folder of the checkout."""
        ...

    @property
    def scratch(self) -> Path:
        """An empty folder beside it, to work in."""
        ...

    def restore(self, deadline: Deadline) -> None:
        """Put the files back to what the commit holds."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """A cheap evaluation, and what it must show for a candidate to go on."""

    evaluator: Evaluator
    threshold: Constraint


class Cascade:
    """Judges candidates in stages; what the first ones stop costs no full evaluation."""

    def __init__(
        self, evaluator: Evaluator, stages: Sequence[Stage] = (), repeats: int | None = None
    ) -> None:
        """``repeats`` is how often the last, full evaluation is made.

        None: once, but of the root commit until its noise is known.
        """
        self._evaluator = evaluator
        self._stages = tuple(stages)
        self._repeats = repeats

    def check(self) -> None:
        """Make sure that every evaluator can be started at all; raises `ConfigError`."""
        for stage in self._stages:
            stage.evaluator.check()
        self._evaluator.check()

    def judge(
        self,
        tree: CandidateTree,
        commit: str,
        deadline: Deadline,
        *,
        may_stop: bool = True,
        is_root: bool = False,
        repeats: int | None = None,
    ) -> Judgement:
        """Judge ``commit``, checked out as ``tree``; ``repeats``: how often, if not as always.

        Metrics of earlier stages are kept beside the full evaluation's. The tree is restored
        between runs: none may find what the candidate has left in another one, such as its results.
        Raises `CandidateRejected` below a threshold, unless it may not stop there, as with a commit
        that has passed before; and what restoring or an evaluator raises.
        """
        early: list[Evaluation] = []
        for number, stage in enumerate(self._stages, start=1):
            folder = _make_folder(tree.scratch / f"stage-{number}")
            judgement = stage.evaluator.evaluate(tree.path, commit, folder, deadline)
            if may_stop:
                _require_threshold(stage.threshold, judgement, number)
                logger.debug("stage {} passed: {}", number, stage.threshold)
            early.append(judgement.evaluation)
            tree.restore(deadline)
        wanted = repeats or self._repeats
        runs: list[Judgement] = []
        while not runs or (
            len(runs) < wanted
            if wanted
            else is_root and leaves_noise_open([run.evaluation for run in runs], deadline)
        ):
            if runs:
                tree.restore(deadline)
            folder = _make_folder(tree.scratch / f"run-{len(runs) + 1}")
            runs.append(self._evaluator.evaluate(tree.path, commit, folder, deadline))
        # Of several runs the last one's words and files are kept: figures are what differs.
        whole = merged([run.evaluation for run in runs])
        return replace(runs[-1], evaluation=_add_early_metrics(whole, early))


def leaves_noise_open(runs: Sequence[Evaluation], deadline: Deadline) -> bool:
    """Whether the root commit is to be measured once more: while it costs little, twice at least.

    What is the same three times is taken for exact; a job keeps time to end in.
    """
    seconds = sum(run.seconds for run in runs) / len(runs)
    if deadline.remaining_seconds < 2 * seconds or len(runs) >= _MOST_RUNS:
        return False
    if len(runs) < _LEAST_RUNS:
        return True
    is_exact = len({run.metrics for run in runs}) == 1
    if is_exact and len(runs) >= EXACT_RUNS:
        return False
    return (len(runs) + 1) * seconds <= _NOISE_SECONDS


def _make_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _require_threshold(threshold: Constraint, judgement: Judgement, number: int) -> None:
    value = judgement.evaluation.value(threshold.metric)
    if value is None or not threshold.holds({threshold.metric: value}):
        shown = "not reported" if value is None else f"{value:g}"
        raise CandidateRejected(
            f"stopped at stage {number} of the evaluation",
            reason=f"{threshold} does not hold: it is {shown}",
            log=judgement.log,
        )


def _add_early_metrics(whole: Evaluation, early: Sequence[Evaluation]) -> Evaluation:
    names = {metric.name for metric in whole.metrics}
    kept = {metric.name: metric for one in early for metric in one.metrics}
    return replace(
        whole,
        metrics=(*whole.metrics, *(kept[name] for name in kept if name not in names)),
        seconds=whole.seconds + sum(one.seconds for one in early),
    )
