"""Whether a commit is better than the root: in one word and one figure for every view."""

from dataclasses import dataclass
from math import floor, log10

from sqlalchemy import Connection, select

from loreley.core.evaluation.paired_test import Difference, Verdict
from loreley.db.confirmations import Confirmed, read_confirmed
from loreley.db.models import metrics
from loreley.map_elites.objective import Objective

NOT_YET = "not confirmed yet"


@dataclass(frozen=True, slots=True)
class HoldoutFigures:
    """The fitness of root and commit on what was held out; None: it has none there."""

    root: float | None
    commit: float | None
    difference: float | None  # of the commit to the root
    gap: float | None  # by how much less it gains there than where it was selected


@dataclass(frozen=True, slots=True)
class Gain:
    """What is known of a commit's gain over the root; figures in the metric's own direction."""

    status: str  # confirmed, not confirmed, or not confirmed yet
    text: str  # the status with its figure, or with why there is none
    difference: float | None = None  # to the root, as measured beside it
    margin: float | None = None  # half the width of its 95 % interval
    pairs: int = 0
    holdout: str | None = None  # what the hold-out says; None: it was not asked
    holdout_figures: HoldoutFigures | None = None

    @property
    def is_confirmed(self) -> bool:
        """Whether the commit may be called better."""
        return self.status == Verdict.CONFIRMED


def read_gain(
    connection: Connection, commit: str, root_commit: str, objective: Objective
) -> Gain | None:
    """What is known of a commit's gain; None of the root, which has none."""
    if commit == root_commit:
        return None
    known = read_confirmed(connection, commit)
    if known is None:
        return Gain(NOT_YET, NOT_YET)
    unit = connection.execute(
        select(metrics.c.unit).where(
            metrics.c.commit == commit, metrics.c.name == (objective.metric or "")
        )
    ).scalar()
    return describe_gain(known, objective, unit)


def describe_gain(known: Confirmed, objective: Objective, unit: str | None = None) -> Gain:
    """What measuring beside the root has shown, in words."""
    holdout = None if known.holdout is None else _describe_holdout(known, objective)
    status = Verdict.CONFIRMED if known.holds else Verdict.NOT_CONFIRMED
    if known.verdict is Verdict.NOT_CONFIRMED:
        text = f"{known.verdict}: {_explain_doubt(known, unit)}"
    elif known.holds:
        text = f"{known.verdict}: {_format_difference(known.difference, objective, unit)}"
    else:
        assert known.holdout is not None
        text = f"{status}: it fails the hold-out, {known.holdout.objection}"
    difference = known.difference
    return Gain(
        status=status,
        text=text,
        difference=None if difference is None else objective.fitness(difference.estimate),
        margin=None if difference is None else difference.margin,
        pairs=difference.pairs if difference else 0,
        holdout=holdout,
        holdout_figures=None if known.holdout is None else _read_figures(known, objective),
    )


def _explain_doubt(known: Confirmed, unit: str | None) -> str:
    if known.reason:
        return known.reason
    difference = known.difference
    assert difference is not None  # the pairs have decided
    if difference.margin == 0:
        return "no better than the root"
    return f"differences under {difference.margin:.2g}{_format_unit(unit)} are noise here"


def _format_difference(
    difference: Difference | None, objective: Objective, unit: str | None
) -> str:
    assert difference is not None  # nothing is confirmed without a pair
    estimate, margin = objective.fitness(difference.estimate), difference.margin
    if margin == 0:
        return f"{estimate:+.6g}{_format_unit(unit)}, without noise in {difference.pairs} pairs"
    places = max(0, -floor(log10(margin)))  # so many that the margin has one digit
    shown = f"{estimate:+.{places}f}{_format_unit(unit)} ± {margin:.{places}f}"
    return f"{shown} ({difference.pairs} pairs)"


def _read_figures(known: Confirmed, objective: Objective) -> HoldoutFigures:
    holdout, difference = known.holdout, known.difference
    assert holdout is not None and difference is not None  # noqa: PT018
    root, commit, gain = holdout.root.score, holdout.finalist.score, holdout.gain
    return HoldoutFigures(
        root=None if root is None else objective.fitness(root),
        commit=None if commit is None else objective.fitness(commit),
        difference=None if gain is None else objective.fitness(gain),
        gap=None if gain is None else difference.estimate - gain,
    )


def _describe_holdout(known: Confirmed, objective: Objective) -> str:
    holdout, difference = known.holdout, known.difference
    assert holdout is not None and difference is not None  # noqa: PT018
    if holdout.root.score is None:
        return f"the root has no figure: {holdout.root.failure}"
    root = f"{objective.fitness(holdout.root.score):.6g} at the root"
    if holdout.finalist.score is None or holdout.gain is None:
        return f"{root}, none here: {holdout.finalist.failure}"
    gap = difference.estimate - holdout.gain
    return (
        f"{root}, {objective.fitness(holdout.finalist.score):.6g} here: "
        f"{objective.fitness(holdout.gain):+.6g}, against "
        f"{objective.fitness(difference.estimate):+.6g} where it was selected "
        f"(gap {gap:.2g})"
    )


def _format_unit(unit: str | None) -> str:
    return f" {unit}" if unit else ""
