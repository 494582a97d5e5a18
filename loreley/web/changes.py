"""What a commit changes: from a repository on this host, else from the patch that was kept."""

from dataclasses import dataclass

from loreley.errors import LoreleyError
from loreley.host.deadline import Deadline
from loreley.invocation import typed
from loreley.ops.results.commit_source import find_local_objects
from loreley.views.job_story import read_job_story
from loreley.views.lineage import read_lineage
from loreley.web.diffs import Diff, parse_diff
from loreley.web.site import Site

_PATCH_BYTES = 2 * 1024 * 1024
_PATCH_SECONDS = 20.0
_SHOWN_LINES = 4_000


@dataclass(frozen=True, slots=True)
class Changes:
    """A diff, or why there is none; ``note`` is for people."""

    diff: Diff | None
    note: str = ""


def read_changes(site: Site, commit: str, other: str, *, most_lines: int = _SHOWN_LINES) -> Changes:
    """What ``commit`` has otherwise than ``other``, without asking the remote."""
    try:
        store = find_local_objects(site.settings, [other, commit])
        if store is not None:
            deadline = Deadline.after(_PATCH_SECONDS)
            patch = store.patch(other, commit, _PATCH_BYTES, deadline=deadline)
            return Changes(parse_diff(patch, most_lines=most_lines))
        reason = "no repository on this host holds both commits"
    except LoreleyError as error:
        reason = error.summary
    return _read_kept_patch(site, commit, other, reason, most_lines)


def _read_kept_patch(site: Site, commit: str, other: str, reason: str, most_lines: int) -> Changes:
    """The patch that was kept with the commit's job, where it is against the parent."""
    lineage = read_lineage(site.database, commit)
    if lineage is not None and lineage.last.parent == other:
        story = read_job_story(site.database, lineage.last.job_id)
        for artifact in story.artifacts if story else ():
            if artifact.name == "patch.diff":
                text = artifact.content.decode("utf-8", "replace")
                return Changes(
                    parse_diff(text, most_lines=most_lines),
                    "This is the patch that was kept with the job.",
                )
    return Changes(
        None,
        f"The diff cannot be made here: {reason}. `{typed('best --diff')}` fetches what it needs.",
    )
