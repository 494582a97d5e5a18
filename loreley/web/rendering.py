"""Templates and the files beside them: everything is escaped, nothing comes from elsewhere."""

from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from loreley.invocation import typed
from loreley.views.wording import FILTERS
from loreley.web.site import Site

_FOLDER = Path(__file__).parent
STATIC = _FOLDER / "static"
MENU = (
    ("/", "Overview"),
    ("/archive", "Archive"),
    ("/lineage", "Lineage"),
    ("/jobs", "Jobs"),
    ("/logs", "Logs"),
    ("/runs", "Runs"),
)

_templates = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(FILTERS)
_templates.globals["typed"] = typed


def site_of(request: Request) -> Site:
    """What the pages of this server are made from."""
    return cast(Site, request.app.state.site)


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A template as an answer."""
    site = site_of(request)
    text = _templates.get_template(template).render(
        menu=MENU,
        path=request.url.path,
        title=site.title,
        may_change=site.sessions.are_possible,
        is_open=site.sessions.is_open(request),
        **values,
    )
    return HTMLResponse(text, status)
