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
from loreley.ops.results.independent_changes import IndependentChange
from loreley.ops.results.local_evaluator import LocalEvaluator, Measurement, SignalStop
from loreley.ops.results.minimiser import Minimiser, count_lines
from loreley.ops.results.selection import Selection
from loreley.ops.results.whole_change import BudgetSpent, Judge, WholeChange
from loreley.ops.summary import name_gain
from loreley.views.gains import NOT_YET, Gain
from loreley.views.lineage import Lineage

_SHOWN_METRICS = 8
_NOT_MEASURED_BESIDE = Gain(NOT_YET, NOT_YET)


@dataclass(frozen=True, slots=True)
class MinimiseOptions:
    """What is asked of `invoke minimise`."""

    most_evaluations: int = 200
    share: float = 1.0  # of the gain over the root, that must stay
    push: bool = False
    split: bool = True  # what is left, into independent changes
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
        changes: list[IndependentChange] = []
        if options.split and not ending:
            changes, reason = minimiser.split()
            if reason:
                say(f"not split: {reason}")
        branches = [
            _keep(minimiser, options, each.pieces, suffix=f"-{number}", message=message)
            for number, (each, message) in enumerate(_write_messages(minimiser, changes), start=1)
        ]
        message = _write_message(minimiser, kept)
        commit, branch = _keep(minimiser, options, kept, message=message)
        if options.patch is not None:
            write_mail(
                minimiser.store,
                lineage.root_commit,
                commit,
                message=message,
                author=commit_author(settings),
                output=patch,
            )
    if ending:
        say(f"stopped {ending}")
    print("\n".join(_write_report(minimiser, commit, branch, options)))
    for number, (change, (_, branch)) in enumerate(zip(changes, branches, strict=True), start=1):
        print("\n".join(_report_change(minimiser, number, change, branch)))


def _keep(
    minimiser: Minimiser,
    options: MinimiseOptions,
    pieces: Sequence[Piece],
    *,
    message: CommitMessage,
    suffix: str = "",
) -> tuple[str, str]:
    """Pieces as a commit on the root, and the branch it has, on the remote too if it is asked."""
    commit = minimiser.commit(minimiser.pieces.tree(pieces), message)
    branch = f"{_name_branch(minimiser.settings, minimiser.lineage)}{suffix}"
    minimiser.store.run("update-ref", f"refs/heads/{branch}", commit)
    if options.push:
        push_branch(minimiser.settings, minimiser.store, commit, branch, force=True)
    return commit, branch


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


def _write_messages(
    minimiser: Minimiser, changes: Sequence[IndependentChange]
) -> Iterator[tuple[IndependentChange, CommitMessage]]:
    """Each independent change with what its commit says."""
    name, root = one_line(minimiser.lineage.objective.name), minimiser.lineage.root.fitness
    for number, change in enumerate(changes, start=1):
        gain = minimiser.describe_gain(change.answer) or _NOT_MEASURED_BESIDE
        fitness = minimiser.fitness_of(change.answer)
        lineage = replace(minimiser.lineage, confirmation=gain)
        body = [
            f"Change {number} of {len(changes)} independent ones that evolution has found. The "
            f"figures are its own; all of them together measure {minimiser.fitness:.6g}.",
            "",
            *write_provenance(lineage),
            f"Minimised-from: {lineage.last.commit}",
            f"Fitness: {name} {root:.6g} -> {fitness:.6g}",
            *(f"{key.capitalize()}: {text}" for key, text in name_gain(gain)),
        ]
        yield change, CommitMessage(describe_gain(lineage, fitness), "\n".join(body))


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
    minimiser: Minimiser, commit: str, branch: str, options: MinimiseOptions
) -> Iterator[str]:
    lineage, pieces, settings = minimiser.lineage, minimiser.pieces.all, minimiser.settings
    yield f"kept      {count_lines(minimiser.kept)} of {count_lines(pieces)} lines"
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


def _report_change(
    minimiser: Minimiser, number: int, change: IndependentChange, branch: str
) -> Iterator[str]:
    gain = minimiser.describe_gain(change.answer) or _NOT_MEASURED_BESIDE
    lines, paths = count_lines(change.pieces), {piece.path for piece in change.pieces}
    first = change.pieces[0]
    more = f" and {len(paths) - 1} more files" if len(paths) > 1 else ""
    yield ""
    yield f"change {number:<3}{lines} lines, {first}{more}"
    yield f"fitness   {minimiser.fitness_of(change.answer):.6g} by itself"
    yield from (f"{name:<10}{text}" for name, text in name_gain(gain))
    yield f"branch    {branch}"
