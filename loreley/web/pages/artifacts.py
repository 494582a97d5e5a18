"""The files that are kept with a job, given out so that none can act as a page of ours."""

from urllib.parse import quote

from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from loreley.core.evaluation.evaluation import PICTURE_TYPES
from loreley.db.models import artifacts, jobs
from loreley.web.rendering import site_of
from loreley.web.security import FILE_POLICY

_UNKNOWN = "application/octet-stream"


def artifact(request: Request) -> Response:
    """One file of a job's last attempt: a picture or plain text is shown, else it is saved."""
    job_id, name = request.path_params["job_id"], request.query_params.get("name", "")
    query = (
        select(artifacts.c.media_type, artifacts.c.content)
        .join(jobs, jobs.c.id == artifacts.c.job_id)
        .where(
            artifacts.c.job_id == job_id,
            artifacts.c.attempt == jobs.c.attempt,
            artifacts.c.name == name,
        )
    )
    with site_of(request).database.read() as connection:
        found = connection.execute(query).first()
    if found is None:
        raise HTTPException(404, "There is no such file; texts of agents are kept for a while only")
    shown = _choose_type(found.media_type)
    way = "attachment" if shown == _UNKNOWN else "inline"
    return Response(
        found.content,
        headers={
            "Content-Type": shown,
            "Content-Security-Policy": FILE_POLICY,
            "Content-Disposition": f"{way}; filename*=UTF-8''{quote(name, safe='')}",
        },
    )


def _choose_type(media_type: str) -> str:
    if media_type in PICTURE_TYPES:
        return media_type
    return "text/plain; charset=utf-8" if is_text(media_type) else _UNKNOWN


def is_text(media_type: str) -> bool:
    """Whether a browser may show such a file as plain text."""
    return media_type.startswith("text/") or media_type == "application/json"
