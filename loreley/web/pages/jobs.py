"""All jobs, page by page, and the whole story of one."""

from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from loreley.core.evaluation.evaluation import PICTURE_TYPES, Artifact
from loreley.core.jobs import JobKind, JobState
from loreley.map_elites.archive import AddResult
from loreley.ops.job_events import read_job_events
from loreley.views.job_list import (
    JobFilter,
    JobOrder,
    agents_seen,
    find_job,
    read_page,
    read_sorted_page,
)
from loreley.views.job_rows import to_csv, to_json_lines
from loreley.views.job_story import JobStory, read_job_story
from loreley.web.diffs import parse_diff
from loreley.web.pages.artifacts import is_text
from loreley.web.rendering import page, site_of

_LINES = 50
_MOST_PAGES = 100_000
_OUTCOMES = (*(result.value for result in AddResult), "infeasible", "measured")
_SHOWN_CHARACTERS = 60_000
_SHOWN_DIFF_LINES = 4_000
_SHOWN_EVENTS = 200

Member = TypeVar("Member", bound=StrEnum)


def jobs_page(request: Request) -> Response:
    """A page of the list; a number or id that was searched for leads to its job."""
    database = site_of(request).database
    asked = request.query_params
    if wanted := asked.get("find", "").strip():
        job_id = find_job(database, wanted)
        if job_id is not None:
            return RedirectResponse(f"/jobs/{job_id}", 303)
    chosen = _parse_filter(asked)
    order = _parse_choice(JobOrder, asked.get("order")) or JobOrder.NEWEST
    if order is JobOrder.NEWEST:
        below, above = _number(asked.get("below")), _number(asked.get("above"))
        found = read_page(database, chosen, limit=_LINES, below=below, above=above)
    else:
        number = min(_MOST_PAGES, max(0, _number(asked.get("page")) or 0))
        found = read_sorted_page(database, chosen, order, limit=_LINES, number=number)
    kept = {
        name: value
        for name in ("state", "kind", "agent", "outcome")
        if (value := getattr(chosen, name)) is not None
    }
    return page(
        request,
        "jobs.html",
        found=found,
        chosen=chosen,
        order=order.value,
        not_found=wanted,
        states=[state.value for state in JobState],
        kinds=[kind.value for kind in JobKind],
        outcomes=_OUTCOMES,
        agents=agents_seen(database),
        query=lambda **more: f"/jobs?{urlencode({**kept, **more})}",
        files=[(name, f"/jobs.{name}?{urlencode(kept)}") for name in ("csv", "jsonl")],
    )


def jobs_file(request: Request) -> Response:
    """All jobs that the filter lets through, with their metrics, as CSV or JSON Lines."""
    write = to_csv if request.url.path.endswith(".csv") else to_json_lines
    media_type = "text/csv" if write is to_csv else "application/x-ndjson"
    lines = write(site_of(request).database, _parse_filter(request.query_params))
    return StreamingResponse(lines, media_type=f"{media_type}; charset=utf-8")


def _parse_filter(asked: QueryParams) -> JobFilter:
    return JobFilter(
        state=_parse_choice(JobState, asked.get("state")),
        kind=_parse_choice(JobKind, asked.get("kind")),
        agent=asked.get("agent") or None,
        outcome=asked.get("outcome") if asked.get("outcome") in _OUTCOMES else None,
    )


def job_page(request: Request) -> HTMLResponse:
    """One job: what it was to do, what it did, what came of it."""
    story = _require_story(request)
    texts = {each.name: each for each in story.artifacts if is_text(each.media_type)}
    patch = texts.pop("patch.diff", None)
    return page(
        request,
        "job.html",
        job=story,
        seconds=(story.finished_at - story.claimed_at).total_seconds()
        if story.finished_at and story.claimed_at
        else None,
        patch=parse_diff(_cut_text(patch), most_lines=_SHOWN_DIFF_LINES) if patch else None,
        texts=[(each.name, _cut_text(each)) for each in texts.values()],
        pictures=[each.name for each in story.artifacts if each.media_type in PICTURE_TYPES],
        job_id=story.job_id,
    )


def job_log(request: Request) -> HTMLResponse:
    """What the processes of this machine have logged about a job; fetched by its page."""
    story = _require_story(request)
    site = site_of(request)
    events = (
        read_job_events(site.logs_base, story.job_id, story.claimed_at, at_most=_SHOWN_EVENTS)
        if story.claimed_at
        else []
    )
    return page(request, "job_log.html", events=events, base=site.logs_base)


def _require_story(request: Request) -> JobStory:
    story = read_job_story(site_of(request).database, request.path_params["job_id"])
    if story is None:
        raise HTTPException(404, "There is no such job")
    return story


def _cut_text(artifact: Artifact) -> str:
    text = artifact.content.decode("utf-8", "replace")
    if artifact.name == "patch.diff" or len(text) <= _SHOWN_CHARACTERS:
        return text
    return f"… the beginning is left out …\n{text[-_SHOWN_CHARACTERS:]}"


def _parse_choice(kind: type[Member], text: str | None) -> Member | None:
    return kind(text) if text in [each.value for each in kind] else None


def _number(text: str | None) -> int | None:
    if text is None or not text.removeprefix("-").isdecimal() or len(text) > 10:
        return None
    return int(text)
