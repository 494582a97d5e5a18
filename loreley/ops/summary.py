"""What came of a run, in a few lines."""

from collections.abc import Iterator
from pathlib import Path

from loreley.config import Settings
from loreley.core.jobs import FINAL_STATES
from loreley.core.sandbox.child_output import one_line
from loreley.git.clone_folder import find_clone_folder
from loreley.invocation import typed
from loreley.views.gains import Gain
from loreley.views.overview import Champion, Overview
from loreley.views.wording import plateaus


def summarise(overview: Overview, settings: Settings, logs: Path) -> str:
    """The best commit, its gain, how to see its diff, and where the logs are."""
    states = [
        f"{overview.jobs[state]} {state}" for state in sorted(FINAL_STATES) if overview.jobs[state]
    ]
    lines = [f"jobs      {overview.ended} ended: {', '.join(states) or 'none'}"]
    lines += [f"yield     {words}" for words in describe_yield(overview)]
    lines.append(f"archive   {overview.cells_filled} of {overview.cells} cells filled")
    lines.append(f"fitness   {describe_fitness(overview)}")
    if overview.noise is not None:
        lines.append(f"noise     {overview.noise.text}")
    if overview.ceiling is not None:
        lines.append(f"tuning    {describe_ceiling(overview)}")
    if overview.plateaus:
        lines.append(f"plateaus  {len(overview.plateaus)}, in jobs {plateaus(overview.plateaus)}")
    if overview.hosts is not None:
        lines.append(f"hosts     {overview.hosts}")
    lines += _describe_best(overview, settings)
    lines.append(f"logs      {logs}   ({typed('logs')})")
    return "\n".join(lines)


def describe_yield(overview: Overview) -> Iterator[str]:
    """How many jobs were of use, once one has ended."""
    if overview.job_yield is not None:
        each = ""
        if overview.failed_tries and overview.evaluation_yield is not None:
            each = f", {overview.evaluation_yield:.0%} of {overview.candidates} evaluations"
        yield f"{overview.job_yield:.0%} of the jobs{each} gave a new judged candidate"


def count_jobs(overview: Overview) -> str:
    """How many jobs there are, and how many in each state."""
    counts = [f"{count} {state}" for state, count in overview.jobs.items() if count]
    return f"{overview.total}: {', '.join(counts) or 'none'}"


def describe_fitness(overview: Overview) -> str:
    """What is improved, and in which direction."""
    return f"{overview.objective.name}: {overview.direction}"


def describe_ceiling(overview: Overview) -> str:
    """How far numbers alone lead from the root, and what tuning has tried in all."""
    assert overview.ceiling is not None
    found = f"{overview.objective.name} {overview.ceiling.fitness:.6g}"
    return f"ceiling {found}: the root with other numbers; {overview.tuning_tries} tries so far"


def describe_anew(overview: Overview) -> str:
    """How much is still to be measured since the evaluator was changed; empty for nothing."""
    count = overview.to_judge_anew
    return f"; {count} commits are still to be measured anew by it" if count else ""


def describe_start(overview: Overview) -> str:
    """Where the best commit began."""
    if overview.root is None:
        return "while the root has no fitness"
    return f"from {overview.root.fitness:.6g} at the root"


def _describe_best(overview: Overview, settings: Settings) -> list[str]:
    best, gain = overview.best, overview.best_gain
    if best is None:
        return [f"best      {overview.why_no_best}"]
    if best.commit == overview.root_commit:
        return [f"best      the root commit itself, {overview.objective.name} {best.fitness:.6g}"]
    name, fitter = overview.objective.name, []
    steps = len(overview.best_path) - 1
    way = f", in {steps} step{'s' if steps != 1 else ''}"
    if overview.confirmed is not None and gain is not None and not gain.is_confirmed:
        # A run that was stopped ends with what is known to be better.
        fitter = [f"fitter    {name} {best.fitness:.6g}, {gain.text}: {best.commit}"]
        best, gain, way = overview.confirmed, overview.confirmed_gain, ""
    return [
        f"best      {name} {best.fitness:.6g}, {describe_start(overview)}{way}",
        *(f"{label:<10}{text}" for label, text in name_gain(gain)),
        *fitter,
        f"commit    {best.commit}",
        f"branch    {best.branch} at {settings.remote_target}",
        f"diff      {_format_diff_command(overview, best, settings)}",
    ]


def describe_better(overview: Overview) -> str:
    """The fittest commit that is better than the root, where it is not the best; else empty."""
    known, gain = overview.confirmed, overview.confirmed_gain
    if known is None or gain is None or known == overview.best:
        return ""
    found = f"{overview.objective.name} {known.fitness:.6g}, {gain.text}"
    return f"{one_line(found)}  {known.commit[:12]}"


def name_gain(gain: Gain | None) -> Iterator[tuple[str, str]]:
    """Whether a commit is better than the root, and what the hold-out says, each with its name."""
    if gain is not None:
        yield "gain", gain.text
        if gain.holdout:
            yield "hold-out", gain.holdout


def _format_diff_command(overview: Overview, best: Champion, settings: Settings) -> str:
    remote = settings.remote_target
    folder = remote if Path(remote).is_dir() else find_clone_folder(settings)
    return f"git -C {folder} diff {overview.root_commit[:12]} {best.commit[:12]}"
