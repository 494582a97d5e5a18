"""The first page: whether it goes well, what was found, what broke."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse

from loreley.core.jobs import JobState
from loreley.views.job_list import read_latest
from loreley.views.overview import Overview, read_arm_states, read_overview, read_running
from loreley.views.pictures import read_pictures
from loreley.views.throughput import read_stuck, read_throughput
from loreley.web.rendering import page, site_of
from loreley.web.site import Site

_MOST_POINTS = 1_200
_MOST_STUCK = 5


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should look at."""

    level: str  # bad or warn
    what: str
    more: str = ""
    job_id: str = ""


def overview_page(request: Request) -> HTMLResponse:
    """The whole page."""
    return page(request, "overview.html", **_gather(site_of(request)))


def overview_live(request: Request) -> HTMLResponse:
    """The part of it that is fetched again whenever something happened."""
    return page(request, "overview_live.html", **_gather(site_of(request)))


def history_figures(request: Request) -> JSONResponse:
    """The points of the charts."""
    site = site_of(request)
    pace = read_throughput(site.database)
    moments = site.history.read(at_most=_MOST_POINTS)
    return JSONResponse(
        {
            "moments": [
                [each.at, each.evaluations, each.best, each.qd_score, each.cells]
                for each in moments
            ],
            "pace": pace.per_minute,
            "now": pace.now,
        }
    )


def _gather(site: Site) -> dict[str, Any]:
    database = site.database
    overview = read_overview(database)
    pace, spend = read_throughput(database), site.spend()
    running = read_running(database)
    queue = site.queue()
    best = overview.best if overview else None
    return {
        "overview": overview,
        "pace": pace,
        "spend": spend,
        "running": running,
        "latest": read_latest(database, limit=12),
        "arms": read_arm_states(database),
        "queue": queue,
        "warnings": list(_find_notices(site, overview, spend.ending)),
        "states": _list_states(overview),
        "activity": _describe_activity(overview, is_running=bool(running)),
        "pictures": read_pictures(database, best.commit) if best else [],
    }


def _list_states(overview: Overview | None) -> list[tuple[str, int]]:
    return [(state.value, count) for state, count in overview.jobs.items()] if overview else []


def _describe_activity(overview: Overview | None, *, is_running: bool) -> str:
    if overview is None:
        return "not begun"
    waits = overview.jobs[JobState.PENDING] + overview.jobs[JobState.QUEUED]
    if is_running:
        return "running"
    if waits:
        return "waiting for workers"
    return "at rest"


def _find_notices(site: Site, overview: Overview | None, ending: str | None) -> Iterator[Notice]:
    settings = site.settings
    queue = site.queue()
    for problem in queue.problems if queue else ():
        details = ": ".join(filter(None, (problem.reason, problem.fix)))
        yield Notice("bad", problem.what, details)
    for text in queue.warnings if queue else ():
        yield Notice("warn", text)
    for stuck in read_stuck(
        site.database,
        silent_seconds=2 * settings.tasks_worker_lease_seconds,
        unclaimed_seconds=max(300.0, 2 * settings.tasks_worker_lease_seconds),
        limit=_MOST_STUCK,
    ):
        yield Notice("warn", f"job #{stuck.ordinal} is stuck", stuck.why, stuck.job_id)
    if ending is not None:
        yield Notice("warn", "the budget is reached", ending)
    if overview is not None and overview.ended >= 20:
        bad = overview.jobs[JobState.FAILED]
        if bad > 0.8 * overview.ended:
            share = f"{bad} of {overview.ended} jobs have failed"
            yield Notice("warn", share, "the latest failures say why: see Jobs, state failed")
