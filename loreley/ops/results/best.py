"""`invoke best`: which commit is best, whether it is better, how it came to be, and its diff."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from loreley.config import Settings
from loreley.core.evaluation.evaluation import Metric
from loreley.core.sandbox.child_output import legible, one_line
from loreley.db.engine import open_database
from loreley.git.patches import diffstat, patch_file
from loreley.invocation import typed
from loreley.ops.results.commit_source import open_objects
from loreley.ops.results.selection import Selection, select_lineage
from loreley.ops.summary import describe_better, name_gain
from loreley.views.lineage import Lineage, Step
from loreley.views.overview import read_overview

_ON_TERMINAL_BYTES = 256 * 1024
_SUBJECT_LENGTH = 72


def print_best(settings: Settings, selection: Selection, *, as_json: bool = False) -> None:
    """Print what is known of the chosen commit; raises `LoreleyError`."""
    with closing(open_database(settings.sqlalchemy_url)) as database:
        lineage = select_lineage(database, selection)
        overview = read_overview(database)
    if as_json:
        print(to_json(lineage, settings))
        return
    is_best = selection == Selection()
    better = describe_better(overview) if overview is not None and is_best else ""
    print("\n".join(_write_lines(lineage, settings, better)))


def print_diff(settings: Settings, selection: Selection, *, with_parent: bool) -> None:
    """Print what the commit does otherwise than the root, or than its parent.

    A terminal gets legible text and not too much of it, anything else the patch byte by byte.
    """
    lineage = read_selected(settings, selection)
    old = (with_parent and lineage.last.parent) or lineage.root_commit
    new = lineage.last.commit
    is_terminal = sys.stdout.isatty()
    with (
        open_objects(settings, [old, new]) as store,
        patch_file(store, old, new, binary=not is_terminal) as patch,
    ):
        if is_terminal:
            print(legible(diffstat(store, old, new)), _read_for_terminal(patch), sep="\n\n")
            return
        sys.stdout.flush()
        with patch.open("rb") as source:
            shutil.copyfileobj(source, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def read_selected(settings: Settings, selection: Selection) -> Lineage:
    """The lineage of the chosen commit; raises `LoreleyError`."""
    with closing(open_database(settings.sqlalchemy_url)) as database:
        return select_lineage(database, selection)


def to_json(lineage: Lineage, settings: Settings) -> str:
    """Everything about the commit, for programs."""
    known = asdict(lineage) | {"gain": lineage.gain, "remote": settings.remote_target}
    return json.dumps(known, indent=2, default=str)


def _read_for_terminal(patch: Path) -> str:
    with patch.open("rb") as file:
        text = legible(file.read(_ON_TERMINAL_BYTES).decode("utf-8", "replace"))
    size_bytes = patch.stat().st_size
    if size_bytes <= _ON_TERMINAL_BYTES:
        return text.rstrip("\n")
    cut = f"… the first {_ON_TERMINAL_BYTES:,} of {size_bytes:,} bytes"
    return f"{text}\n{cut}; all of them: {typed('best --diff > FILE')}"


def _write_lines(lineage: Lineage, settings: Settings, better: str) -> Iterator[str]:
    last, root = lineage.last, lineage.root
    yield f"best      {lineage.objective.name} {_write_fitness(last)}{_write_gain(lineage)}"
    for name, text in name_gain(lineage.confirmation):
        yield f"{name:<10}{text}"
    if better:
        yield f"better    {better}   ({typed('best --commit')})"
    yield f"commit    {last.commit}"
    if last.branch:
        yield f"branch    {last.branch} at {settings.remote_target}"
    yield f"made by   {_write_maker(last)}, {last.made_at.astimezone():%Y-%m-%d %H:%M:%S}"
    if summary := one_line(lineage.summary):
        yield f"judged    {summary}"
    yield from _write_metrics(lineage)
    yield "path"
    yield from (_write_step(step) for step in lineage.steps)
    if last is not root:
        yield f"diff      {typed('best --diff')}"
        yield f"take it   {typed('export --patch FILE')}, or --branch NAME"
    if last.branch:
        yield f"fetch     git fetch {settings.remote_target} {last.branch}"


def _write_gain(lineage: Lineage) -> str:
    if lineage.gain is None or len(lineage.steps) == 1:
        return ": the root commit itself" if len(lineage.steps) == 1 else ""
    steps = len(lineage.steps) - 1
    return (
        f", from {_write_fitness(lineage.root)} at the root, "
        f"in {steps} step{'s' if steps != 1 else ''}"
    )


def _write_fitness(step: Step) -> str:
    if step.fitness is None:
        return "without fitness"
    return f"{step.fitness:.6g}" + (f" ± {step.error:.3g}" if step.error else "")


def _write_maker(step: Step) -> str:
    """The job, agent and operator behind a step."""
    if step.parent is None:
        return "you: it is the root commit"
    by = " ".join(filter(None, (step.agent, step.operator)))
    return f"job #{step.ordinal}" + (f", {one_line(by)}" if by else "")


def _write_metrics(lineage: Lineage) -> Iterator[str]:
    """The figures beside the root's."""
    before = {metric.name: metric.value for metric in lineage.root_metrics}
    width = max([len(metric.name) for metric in lineage.metrics], default=0)
    if lineage.metrics:
        yield f"metrics   {'':<{width}} {'root':>12} {'now':>12} {'difference':>12}"
    for metric in lineage.metrics:
        old = before.get(metric.name)
        shown = "" if old is None else f"{old:.6g}"
        unit = f" {one_line(metric.unit)}" if metric.unit else ""
        yield (
            f"          {metric.name:<{width}} {shown:>12} {metric.value:>12.6g} "
            f"{_write_difference(metric, old):>12}{unit}"
        ).rstrip()


def _write_difference(metric: Metric, old: float | None) -> str:
    if old is None or old == metric.value:
        return ""
    return f"{metric.value - old if metric.higher_is_better else old - metric.value:+.6g}"


def _write_step(step: Step) -> str:
    number = "root" if step.parent is None else f"#{step.ordinal}"
    gain = "" if step.gain is None else f"{step.gain:+.6g}"
    by = " ".join(filter(None, (step.agent, step.operator)))
    subject = one_line(step.subject)[:_SUBJECT_LENGTH]
    return (
        f"  {number:<6} {_write_fitness(step):>12} {gain:>12}  {step.commit[:12]}  "
        f"{one_line(by):<20} {subject}"
    ).rstrip()
