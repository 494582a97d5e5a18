"""The dashboard, put together: which address shows what, and what happens when something fails."""

from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from loreley.errors import LoreleyError, ServiceUnavailable
from loreley.web.pages.archive import archive_page, commit_page
from loreley.web.pages.artifacts import artifact
from loreley.web.pages.jobs import job_log, job_page, jobs_file, jobs_page
from loreley.web.pages.lineage import lineage_page
from loreley.web.pages.logs import logs_page, logs_stream
from loreley.web.pages.overview import (
    cloud_figures,
    history_figures,
    overview_live,
    overview_page,
)
from loreley.web.pages.runs import runs_page
from loreley.web.pages.steering import (
    add_note_page,
    cancel_job_page,
    lock,
    steering_page,
    unlock,
    withdraw_note_page,
)
from loreley.web.rendering import STATIC, page
from loreley.web.security import Guard
from loreley.web.site import Site
from loreley.web.streams import Streams, stream_changes


def create_app(site: Site, *, names: Iterable[str]) -> Starlette:
    """The pages of one experiment; ``names`` are those by which the server may be called."""
    app = Starlette(
        routes=[
            Route("/", overview_page),
            Route("/overview/live", overview_live),
            Route("/figures/history", history_figures),
            Route("/figures/cloud", cloud_figures),
            Route("/events", stream_changes),
            Route("/archive", archive_page),
            Route("/commits/{commit}", commit_page),
            Route("/lineage", lineage_page),
            Route("/jobs", jobs_page),
            Route("/jobs.csv", jobs_file),
            Route("/jobs.jsonl", jobs_file),
            Route("/jobs/{job_id}", job_page),
            Route("/jobs/{job_id}/artifact", artifact),
            Route("/jobs/{job_id}/log", job_log),
            Route("/jobs/{job_id}/cancel", cancel_job_page, methods=["POST"]),
            Route("/runs", runs_page),
            Route("/steering", steering_page),
            Route("/steering/unlock", unlock, methods=["POST"]),
            Route("/steering/lock", lock, methods=["POST"]),
            Route("/steering/notes", add_note_page, methods=["POST"]),
            Route("/steering/notes/{number:int}/withdraw", withdraw_note_page, methods=["POST"]),
            Route("/logs", logs_page),
            Route("/logs/stream", logs_stream),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Guard, names=tuple(names))],
        exception_handlers={LoreleyError: _show_failure, HTTPException: _show_refusal},
    )
    app.state.site = site
    app.state.streams = Streams()
    return app


def _show_failure(request: Request, error: Exception) -> Response:
    assert isinstance(error, LoreleyError)
    problem = error.problems[0]
    status = 503 if isinstance(error, ServiceUnavailable) else 500
    reason = ": ".join(filter(None, (problem.target, problem.reason)))
    return page(
        request, "problem.html", status=status, what=problem.what, reason=reason, fix=problem.fix
    )


def _show_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return page(
        request, "problem.html", status=error.status_code, what=error.detail, reason="", fix=""
    )
