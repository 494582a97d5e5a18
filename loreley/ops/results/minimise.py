"""What `invoke minimise` does with a result: a commit, a branch, a patch, a report."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from loreley.config import Settings
from loreley.errors import ConfigError, JobFailed, JobInterrupted, LoreleyError
from loreley.git.commits import Message
from loreley.git.hunks import Piece, Pieces
from loreley.git.patch_mail import write_mail
from loreley.host.signals import StopSignals
from loreley.map_elites.fitness import Estimate
from loreley.ops.messages import say
from loreley.ops.output_file import output_file
from loreley.ops.results.best import read_choice
from loreley.ops.results.commit_message import achievement, message_of, one_line, provenance
from loreley.ops.results.export import identity, push_branch
from loreley.ops.results.local_evaluator import Court, Interruptible, Verdict
from loreley.ops.results.minimiser import Bar, Trials, reduced
from loreley.ops.results.selection import Choice
from loreley.views.lineage import Lineage

_SHOWN_METRICS = 8


@dataclass(frozen=True, slots=True)
class Minimising:
    """What is wanted of `invoke minimise`."""

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


def minimise(settings: Settings, choice: Choice, wanted: Minimising) -> None:
    """Leave out of a commit what does not carry its gain, and keep the rest as one commit.

    Raises `LoreleyError` when there is nothing to leave out, or the gain does not show again.
    """
    lineage = read_choice(settings, choice)
    if len(lineage.steps) == 1:
        raise LoreleyError(
            "the root commit differs from itself by nothing",
            fix="wait until the evolution has found something better, or name a --commit",
        )
    with ExitStack() as stack:
        if wanted.patch is not None:
            patch = stack.enter_context(output_file(wanted.patch, force=wanted.force))
        stop = Interruptible(stack.enter_context(StopSignals()))
        court = stack.enter_context(Court.opened(settings, stop))
        try:
            trials = _begun(settings, court, lineage, wanted)
        except JobInterrupted:
            raise KeyboardInterrupt from None
        kept, ending = reduced(trials)
        commit = trials.commit(trials.pieces.tree(kept), _message(trials, kept))
        branch = _branch(settings, lineage)
        trials.store.run("update-ref", f"refs/heads/{branch}", commit)
        if wanted.push:
            push_branch(settings, trials.store, commit, branch, force=True)
        if wanted.patch is not None:
            write_mail(
                trials.store,
                lineage.root_commit,
                commit,
                message=_message(trials, kept),
                author=identity(settings),
                output=patch,
            )
    if ending:
        say(f"stopped {ending}")
    print("\n".join(_report(settings, trials, kept, commit, branch, wanted)))


def _begun(settings: Settings, court: Court, lineage: Lineage, wanted: Minimising) -> Trials:
    """The whole change measured, and the bar for smaller ones."""
    store = court.store_with([lineage.root_commit, lineage.last.commit])
    pieces = Pieces(store, lineage.root_commit, lineage.last.commit)
    say(
        f"minimise: {len(pieces.all)} pieces, {_lines(pieces.all)} lines of "
        f"{lineage.last.commit[:12]}; at most {wanted.most_evaluations} evaluations"
    )
    try:
        whole = court.judge(lineage.last.commit)
    except JobFailed as failure:
        raise _not_again(lineage, failure.summary) from failure
    bar = _bar(settings, lineage, whole, wanted.share)
    trials = Trials(
        store, court, lineage, pieces, bar, settings, wanted.most_evaluations, best=whole
    )
    measured = trials.fitness_of(whole)
    say(f"{f'1/{wanted.most_evaluations}':>9}  all of them: {measured:.6g}")
    return trials


def _bar(settings: Settings, lineage: Lineage, whole: Verdict, share: float) -> Bar:
    root = lineage.root.fitness
    if root is None:
        raise LoreleyError("the root commit has no fitness", fix="`invoke status` tells more")
    gain = whole.estimate.score - (root if lineage.higher_is_better else -root)
    if gain <= 0:
        raise _not_again(lineage, f"measured now, it is {gain:+.6g} better than the root")
    reference = Estimate(whole.estimate.score - (1 - share) * gain, whole.estimate.error)
    return Bar(reference, settings.mapelites_noise_confidence)


def _not_again(lineage: Lineage, reason: str) -> LoreleyError:
    return LoreleyError(
        "the gain does not show again",
        target=lineage.last.commit,
        reason=reason,
        fix="look whether the evaluator is noisy (WORKER_EVALUATOR_REPEATS), or name a --commit",
    )


def _message(trials: Trials, kept: Sequence[Piece]) -> Message:
    lineage, pieces = trials.lineage, trials.pieces.all
    fitness = trials.fitness_of(trials.best)
    left_out = len(pieces) - len(kept)
    body = [
        f"Found by evolution in {len(lineage.steps) - 1} steps. Of {len(pieces)} pieces of the "
        f"change {left_out or 'none'} did not matter{' and were left out' if left_out else ''}.",
        "",
        *provenance(lineage),
        f"Minimised-from: {lineage.last.commit}",
        f"Fitness: {one_line(lineage.fitness_name)} {lineage.root.fitness:.6g} -> {fitness:.6g}",
        *_metric_trailers(lineage, trials.best),
    ]
    steps = lineage.steps[1:]
    alone = len(steps) == 1 and len(kept) == len(pieces)
    subject = message_of(lineage).subject if alone else achievement(lineage, fitness)
    return Message(subject, "\n".join(body))


def _metric_trailers(lineage: Lineage, verdict: Verdict) -> Iterator[str]:
    before = {metric.name: metric.value for metric in lineage.root_metrics}
    for metric in verdict.evaluation.metrics[:_SHOWN_METRICS]:
        if metric.name != lineage.fitness_name and metric.name in before:
            yield f"Metric: {metric.name} {before[metric.name]:.6g} -> {metric.value:.6g}"


def _branch(settings: Settings, lineage: Lineage) -> str:
    """Beside the branches of jobs, where nothing is deleted for its age."""
    above = settings.worker_repo_job_branch_prefix.rpartition("/")[0]
    return "/".join(filter(None, (above, "minimised", lineage.last.commit[:12])))


def _report(
    settings: Settings,
    trials: Trials,
    kept: Sequence[Piece],
    commit: str,
    branch: str,
    wanted: Minimising,
) -> Iterator[str]:
    lineage, pieces = trials.lineage, trials.pieces.all
    yield f"kept      {len(kept)} of {len(pieces)} pieces, {_lines(kept)} of {_lines(pieces)} lines"
    yield (
        f"fitness   {one_line(lineage.fitness_name)} {trials.fitness_of(trials.best):.6g}, "
        f"was {lineage.last.fitness or 0:.6g}; {lineage.root.fitness or 0:.6g} at the root"
    )
    yield f"commit    {commit}, on the root"
    where = settings.remote_target if wanted.push else trials.store.git_dir
    yield f"branch    {branch} at {where}"
    yield f"fetch     git fetch {where} {branch}"
    if wanted.patch is not None:
        yield f"patch     {wanted.patch}"


def _lines(pieces: Sequence[Piece]) -> int:
    return sum(piece.changed_lines for piece in pieces)
