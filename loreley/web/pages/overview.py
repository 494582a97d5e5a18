"""The first page: whether it goes well, what was found, what broke."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse

from loreley.core.jobs import JobState
from loreley.db.engine import Database
from loreley.db.workers import SeenWorker, read_workers
from loreley.views.charts.cloud import read_cloud
from loreley.views.charts.throughput import read_stuck, read_throughput
from loreley.views.job_list import read_latest
from loreley.views.overview import Overview, read_arm_states, read_overview, read_running
from loreley.views.pictures import read_pictures
from loreley.web.changes import Changes, read_changes
from loreley.web.rendering import page, site_of
from loreley.web.site import Site

_MOST_POINTS = 1_200
_MOST_CLOUD_POINTS = 8_000
_MOST_STUCK = 5
_SHOWN_ARMS = 10
_SHOWN_DIFF_LINES = 60


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


def cloud_figures(request: Request) -> JSONResponse:
    """Every evaluation as a point: names are numbers into lists, as there may be many."""
    cloud = read_cloud(site_of(request).database, at_most=_MOST_CLOUD_POINTS)
    agents, operators, outcomes = _Names(), _Names(), _Names()
    points = [
        [
            round(each.at, 2),
            each.ordinal,
            each.fitness,
            each.error,
            agents.number(each.agent),
            operators.number(each.operator),
            each.island,
            outcomes.number(each.outcome),
            int(each.is_confirmed),
        ]
        for each in cloud.points
    ]
    return JSONResponse(
        {
            "count": cloud.count,
            "step": cloud.step,
            "names": {"agent": agents.all, "operator": operators.all, "outcome": outcomes.all},
            "points": points,
            "marks": [[mark.at, mark.kind, mark.text] for mark in cloud.marks],
        }
    )


class _Names:
    """Names in the order in which they came."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        """The place of a name in the list."""
        return self._numbers.setdefault(name, len(self._numbers))

    @property
    def all(self) -> list[str]:
        """The list."""
        return list(self._numbers)


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
        "workers": _read_online(database),
        "latest": read_latest(database, limit=12),
        "arms": read_arm_states(database),
        "queue": queue,
        "warnings": list(_find_notices(site, overview, spend.ending)),
        "states": _list_states(overview),
        "activity": _describe_activity(overview, is_running=bool(running)),
        "pictures": read_pictures(database, best.commit) if best else [],
        "best_changes": _read_best_changes(site, overview) if overview else None,
        "shown_arms": _SHOWN_ARMS,
    }


def _read_online(database: Database) -> list[SeenWorker]:
    with database.read() as connection:
        return [worker for worker in read_workers(connection) if worker.is_online]


def _read_best_changes(site: Site, overview: Overview) -> Changes | None:
    """What the best has otherwise than the root: asked of git once for each best."""
    if overview.best is None or overview.best.commit == overview.root_commit:
        return None
    key = (overview.best.commit, overview.root_commit)
    return site.of_best(key, lambda: read_changes(site, *key, most_lines=_SHOWN_DIFF_LINES))


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
