"""What a commit says that stands for a whole way of the evolution."""

from collections.abc import Iterator, Sequence

from loreley.core.sandbox.child_output import one_line
from loreley.git.commits import CommitMessage
from loreley.ops.summary import name_gain
from loreley.views.lineage import Lineage, Step

_SUBJECT_LENGTH = 72
_SHOWN_STEPS = 50


def write_message(lineage: Lineage) -> CommitMessage:
    """The last step's own subject if it is the only one, else what all have achieved together."""
    steps = lineage.steps[1:]
    subject = one_line(steps[0].subject) if len(steps) == 1 else describe_gain(lineage)
    return CommitMessage(subject[:_SUBJECT_LENGTH], "\n".join(_write_body(lineage, steps)))


def write_provenance(lineage: Lineage) -> Iterator[str]:
    """Where the change comes from, as git's trailers."""
    yield f"Evolved-from: {lineage.root_commit}"


def describe_gain(lineage: Lineage, fitness: float | None = None) -> str:
    """What differs from the root, in one line; ``fitness`` instead of the one on record.

    Only what is confirmed is called an improvement.
    """
    before = lineage.root.fitness
    after = lineage.last.fitness if fitness is None else fitness
    name = one_line(lineage.objective.name)
    figures = "" if before is None or after is None else f" from {before:.6g} to {after:.6g}"
    if lineage.confirmation is not None and lineage.confirmation.is_confirmed:
        return f"Improve {name}{figures}"
    return f"Change {name}{figures}, not confirmed"


def _write_body(lineage: Lineage, steps: Sequence[Step]) -> Iterator[str]:
    if len(steps) > 1:
        yield f"Found by evolution in {len(steps)} steps:"
        yield ""
        yield from map(_write_step, steps[:_SHOWN_STEPS])
        if len(steps) > _SHOWN_STEPS:
            yield f"- and {len(steps) - _SHOWN_STEPS} more"
        yield ""
    yield from write_provenance(lineage)
    yield f"Evolved-as: {lineage.last.commit}"
    before, after = lineage.root.fitness, lineage.last.fitness
    if before is not None and after is not None:
        yield f"Fitness: {one_line(lineage.objective.name)} {before:.6g} -> {after:.6g}"
    for name, text in name_gain(lineage.confirmation):
        yield f"{name.capitalize()}: {one_line(text)}"


def _write_step(step: Step) -> str:
    gain = "" if step.gain is None else f" ({step.gain:+.4g})"
    by = " ".join(filter(None, (step.agent, step.operator)))
    return f"- #{step.ordinal} {one_line(by)}: {one_line(step.subject)[:_SUBJECT_LENGTH]}{gain}"
