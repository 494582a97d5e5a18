"""`invoke job <id>`: the whole story of one job, and the files that are kept of it."""

import sys
from collections.abc import Iterator
from contextlib import closing

from loreley.config import Settings
from loreley.core.evaluation.evaluation import Artifact, Metric
from loreley.core.jobs import JobKind, JobState
from loreley.core.sandbox.child_output import one_line
from loreley.db.engine import Database, open_database
from loreley.errors import LoreleyError
from loreley.invocation import typed
from loreley.views.job_story import MOST_MATCHES, JobStory, find_jobs, read_job_story
from loreley.views.wording import clock

_SHOWN_TEXT_BYTES = 4_000


def print_job(settings: Settings, beginning: str, *, artifact: str | None) -> None:
    """Print a job's story, or one of its artifacts as it is; raises `LoreleyError`.

    ``beginning`` is a job's number or the first characters of its id.
    """
    with closing(open_database(settings.sqlalchemy_url)) as database:
        story = find_one_job(database, beginning)
    if artifact is None:
        print("\n".join(describe_story(story)))
    else:
        sys.stdout.buffer.write(_find_artifact(story, artifact).content)
        sys.stdout.buffer.flush()


def find_one_job(database: Database, beginning: str) -> JobStory:
    """The story of the job that is meant; raises `LoreleyError` where none is, or several."""
    found = find_jobs(database, beginning)
    story = read_job_story(database, found[0]) if len(found) == 1 else None
    if story is None:
        raise _ambiguous_job(beginning, found)
    return story


def _ambiguous_job(beginning: str, found: list[str]) -> LoreleyError:
    if not found:
        return LoreleyError(
            "there is no such job", target=beginning, fix=f"`{typed('status')}` names some"
        )
    more = " and more" if len(found) == MOST_MATCHES else ""
    return LoreleyError(
        "several jobs are meant",
        target=beginning,
        reason=f"{', '.join(each[:8] for each in found)}{more}",
        fix="give more characters of the id, or #NUMBER",
    )


def _find_artifact(story: JobStory, name: str) -> Artifact:
    for artifact in story.artifacts:
        if artifact.name == name:
            return artifact
    names = ", ".join(artifact.name for artifact in story.artifacts) or "none"
    raise LoreleyError("the job has no such artifact", target=name, reason=f"it has: {names}")


def describe_story(story: JobStory) -> Iterator[str]:
    """All that is known of a job, line by line."""
    yield f"job          #{story.ordinal} {story.job_id}"
    yield f"kind         {story.kind}, island {story.island}"
    became = story.archive_outcome if story.commit else None
    yield f"state        {story.state}" + (f", archive: {became}" if became else "")
    yield f"base         {story.base_commit}"
    for inspiration in story.inspirations:
        yield f"inspired by  {inspiration}"
    if story.agent:
        yield f"agent        {one_line(', '.join(filter(None, (story.agent, story.operator))))}"
    yield f"created      {clock(story.created_at)}"
    if story.claimed_at:
        worker = one_line(story.worker or "")
        yield f"claimed      {clock(story.claimed_at)} by {worker}, attempt {story.attempt}"
    for each in story.failed:
        tried = one_line(each.subject or each.operator or "")
        yield f"try {each.number}        {tried}: {one_line(each.failure)}"
    for trial in story.trials:
        figures = ", ".join(
            map(_format_metric, trial.evaluation.metrics if trial.evaluation else ())
        )
        said = figures or f"failed: {one_line(trial.failure)}"
        yield f"trial {trial.number:<7}{trial.tree[:12]} {said} ({trial.seconds:.1f} s)"
    if story.finished_at:
        yield f"finished     {clock(story.finished_at)}"
    if story.failure and story.state is JobState.CANCELLED:
        yield f"why          {one_line(story.failure)}"
    elif story.failure:
        yield f"failure      {story.failure_kind or 'rejected'}: {one_line(story.failure)}"
    if story.commit:
        yield f"commit       {story.commit} {one_line(story.subject or '')}"
        branch = one_line(story.branch) if story.branch else _explain_no_branch(story)
        yield f"branch       {branch}"
    for metric in story.metrics:
        yield f"metric       {_format_metric(metric)}"
    for artifact in story.artifacts:
        yield from _describe_artifact(artifact)


def _format_metric(metric: Metric) -> str:
    spread = f" ± {metric.error:.3g}" if metric.error else ""
    unit = f" {one_line(metric.unit)}" if metric.unit else ""
    return f"{one_line(metric.name)} = {metric.value:.6g}{spread}{unit}"


def _describe_artifact(artifact: Artifact) -> Iterator[str]:
    size = len(artifact.content)
    name = one_line(artifact.name)
    yield f"\n--- {name} ({one_line(artifact.media_type)}, {size:,} bytes)"
    if artifact.media_type.startswith("text/"):
        text = artifact.content[:_SHOWN_TEXT_BYTES].decode(errors="replace")
        yield "".join(char for char in text if char.isprintable() or char in "\n\t").rstrip()
        if size > _SHOWN_TEXT_BYTES:
            yield f"… the rest by --artifact {name}"


def _explain_no_branch(story: JobStory) -> str:
    return "none: it is the root" if story.kind is JobKind.BASELINE else "none: it was deleted"
