"""What `invoke minimise` does with a result: a commit, a branch, a patch, a report."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from loreley.config import Settings
from loreley.core.sandbox.child_output import one_line
from loreley.core.worker.repository import commit_author
from loreley.errors import ConfigError, JobInterrupted, LoreleyError
from loreley.git.commits import CommitMessage
from loreley.git.hunks import Piece, Pieces
from loreley.git.patch_mail import write_mail
from loreley.host.signals import StopSignals
from loreley.ops.messages import say
from loreley.ops.output_file import output_file
from loreley.ops.results.best import read_selected
from loreley.ops.results.commit_message import describe_gain, write_message, write_provenance
from loreley.ops.results.export import push_branch
from loreley.ops.results.local_evaluator import LocalEvaluator, Measurement, SignalStop
from loreley.ops.results.minimiser import Minimiser, count_lines
from loreley.ops.results.selection import Selection
from loreley.ops.results.whole_change import BudgetSpent, Judge, WholeChange
from loreley.ops.summary import name_gain
from loreley.views.lineage import Lineage

_SHOWN_METRICS = 8


@dataclass(frozen=True, slots=True)
class MinimiseOptions:
    """What is asked of `invoke minimise`."""

    most_evaluations: int = 200
    share: float = 1.0  # of the gain over the root, that must stay
    push: bool = False
    patch: Path | None = None
    force: bool = False  # replace the patch file

    def __post_init__(self) -> None:
        if self.most_evaluations < 2:
            raise ConfigError(
                "too few evaluations",
                setting=f"--evaluations {self.most_evaluations}",
                fix="give 2 or more: the first measures the whole change",
            )
        if not 0 < self.share <= 1:
            raise ConfigError(
                "that is no share of the gain",
                setting=f"--keep {self.share:g}",
                fix="give a number above 0 and at most 1, such as 0.95",
            )


def minimise(settings: Settings, selection: Selection, options: MinimiseOptions) -> None:
    """Leave out of a commit what does not carry its gain, and keep the rest as one commit.

    Raises `LoreleyError` when there is nothing to leave out, or the gain does not show again.
    """
    lineage = read_selected(settings, selection)
    if len(lineage.steps) == 1:
        raise LoreleyError(
            "the root commit differs from itself by nothing",
            fix="wait until the evolution has found something fitter, or name a --commit",
        )
    with ExitStack() as stack:
        if options.patch is not None:
            patch = stack.enter_context(output_file(options.patch, force=options.force))
        stop = SignalStop(stack.enter_context(StopSignals()))
        evaluator = stack.enter_context(LocalEvaluator.opened(settings, lineage.objective, stop))
        try:
            minimiser = _begin(settings, evaluator, lineage, options)
        except JobInterrupted:
            raise KeyboardInterrupt from None
        ending, kept = minimiser.run(), minimiser.kept
        commit = minimiser.commit(minimiser.pieces.tree(kept), _write_message(minimiser, kept))
        branch = _name_branch(settings, lineage)
        minimiser.store.run("update-ref", f"refs/heads/{branch}", commit)
        if options.push:
            push_branch(settings, minimiser.store, commit, branch, force=True)
        if options.patch is not None:
            write_mail(
                minimiser.store,
                lineage.root_commit,
                commit,
                message=_write_message(minimiser, kept),
                author=commit_author(settings),
                output=patch,
            )
    if ending:
        say(f"stopped {ending}")
    print("\n".join(_write_report(settings, minimiser, kept, commit, branch, options)))


def _begin(
    settings: Settings, evaluator: LocalEvaluator, lineage: Lineage, options: MinimiseOptions
) -> Minimiser:
    """The whole change measured, and the threshold for smaller ones."""
    store = evaluator.store_with([lineage.root_commit, lineage.last.commit])
    pieces = Pieces(store, lineage.root_commit, lineage.last.commit)
    say(
        f"minimise: {len(pieces.all)} pieces, {count_lines(pieces.all)} lines of "
        f"{lineage.last.commit[:12]}; at most {options.most_evaluations} evaluations"
    )
    judge = Judge(evaluator, options.most_evaluations)
    try:
        whole = WholeChange.measure(judge, lineage, options.share)
    except BudgetSpent:
        raise LoreleyError(
            "too few evaluations to tell whether the whole change is better than the root",
            setting=f"--evaluations {options.most_evaluations}",
            reason="the metric is noisy, so both are measured in pairs",
            fix="give more, such as 1000",
        ) from None
    minimiser = Minimiser(settings, store, judge, lineage, pieces, whole)
    noise = f", {minimiser.gain.text}" if whole.answer.difference and minimiser.gain else ""
    say(f"{judge.used:>9}  all of them: {minimiser.fitness:.6g}{noise}")
    return minimiser


def _write_message(minimiser: Minimiser, kept: Sequence[Piece]) -> CommitMessage:
    lineage = replace(minimiser.lineage, confirmation=minimiser.gain)
    pieces, fitness = minimiser.pieces.all, minimiser.fitness
    lines = count_lines(pieces)
    left_out = lines - count_lines(kept)
    body = [
        f"Found by evolution in {len(lineage.steps) - 1} steps. Of {lines} lines of the "
        f"change {left_out or 'none'} did not matter{' and were left out' if left_out else ''}.",
        "",
        *write_provenance(lineage),
        f"Minimised-from: {lineage.last.commit}",
        f"Fitness: {one_line(lineage.objective.name)} {lineage.root.fitness:.6g} -> {fitness:.6g}",
        *_write_metric_trailers(lineage, minimiser.judge.measured[minimiser.best_commit]),
        *(f"{name.capitalize()}: {text}" for name, text in name_gain(lineage.confirmation)),
    ]
    steps = lineage.steps[1:]
    alone = len(steps) == 1 and not left_out
    subject = write_message(lineage).subject if alone else describe_gain(lineage, fitness)
    return CommitMessage(subject, "\n".join(body))


def _write_metric_trailers(lineage: Lineage, measurement: Measurement) -> Iterator[str]:
    before = {metric.name: metric.value for metric in lineage.root_metrics}
    for metric in measurement.evaluation.metrics[:_SHOWN_METRICS]:
        if metric.name != lineage.objective.name and metric.name in before:
            yield f"Metric: {metric.name} {before[metric.name]:.6g} -> {metric.value:.6g}"


def _name_branch(settings: Settings, lineage: Lineage) -> str:
    """Beside the branches of jobs, where nothing is deleted for its age."""
    above = settings.worker_repo_job_branch_prefix.rpartition("/")[0]
    return "/".join(filter(None, (above, "minimised", lineage.last.commit[:12])))


def _write_report(
    settings: Settings,
    minimiser: Minimiser,
    kept: Sequence[Piece],
    commit: str,
    branch: str,
    options: MinimiseOptions,
) -> Iterator[str]:
    lineage, pieces = minimiser.lineage, minimiser.pieces.all
    yield f"kept      {count_lines(kept)} of {count_lines(pieces)} lines"
    yield f"used      {minimiser.judge.used.replace('/', ' of ')} evaluations"
    yield (
        f"fitness   {one_line(lineage.objective.name)} {minimiser.fitness:.6g}, "
        f"was {lineage.last.fitness or 0:.6g}; {lineage.root.fitness or 0:.6g} at the root"
    )
    yield from (f"{name:<10}{text}" for name, text in name_gain(minimiser.gain))
    yield f"commit    {commit}, on the root"
    where = settings.remote_target if options.push else minimiser.store.git_dir
    yield f"branch    {branch} at {where}"
    yield f"fetch     git fetch {where} {branch}"
    if options.patch is not None:
        yield f"patch     {options.patch}"
