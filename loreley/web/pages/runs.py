"""The runs of the state folder or the database, beside each other."""

from starlette.requests import Request
from starlette.responses import HTMLResponse

from loreley.ops.runs.known import UNNAMED
from loreley.web.rendering import page, site_of


def runs_page(request: Request) -> HTMLResponse:
    """How each run stands; this page's own is marked."""
    site = site_of(request)
    return page(
        request, "runs.html", runs=site.runs(), own=site.settings.loreley_run, unnamed=UNNAMED
    )
