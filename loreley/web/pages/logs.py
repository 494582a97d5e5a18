"""What the processes say: the end of the newest run's logs, and then whatever is added."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from loreley.config import LOG_LEVELS, Role
from loreley.ops.logs.files import find_logs, find_runs
from loreley.ops.logs.tailing import Follower, LabelledEvent, drop_unfinished_line, read_last_events
from loreley.web.rendering import page, site_of
from loreley.web.streams import stream

_FIRST_LINES = 300
_MOST_EVENTS = 500  # at once; a page that falls behind gets the newest


def logs_page(request: Request) -> HTMLResponse:
    """The page; without a script it shows the end of the newest run."""
    roles, level = _parse_query(request)
    return page(
        request,
        "logs.html",
        events=_read_last(site_of(request).logs_base, roles, level),
        roles=list(Role),
        role=roles[0].value if len(roles) == 1 else "",
        levels=LOG_LEVELS,
        level=level or "",
        base=site_of(request).logs_base,
        last=_FIRST_LINES,
    )


def logs_stream(request: Request) -> Response:
    """The same at once, and then line by line what is added."""
    roles, level = _parse_query(request)
    base = site_of(request).logs_base
    followers: list[Follower] = []

    def look() -> list[tuple[str, Any]]:
        if not followers:
            logs = [drop_unfinished_line(log) for log in find_logs(base, roles)]
            followers.append(Follower(base, roles, logs))
            newest = find_runs(logs)[:1]
            first = [read_last_events(run.logs, lines=_FIRST_LINES, level=level) for run in newest]
            return [("begin", _format_events([item for items in first for item in items]))]
        added = [item for item in followers[0].poll() if item.event.reaches(level)]
        return [("line", line) for line in _format_events(added)]

    return stream(request, look)


def _read_last(base: Path, roles: Sequence[Role], level: str | None) -> list[LabelledEvent]:
    for run in find_runs(find_logs(base, roles))[:1]:
        return read_last_events(run.logs, lines=_FIRST_LINES, level=level)
    return []


def _format_events(items: list[LabelledEvent]) -> list[tuple[str, str, str]]:
    return [
        (item.label, item.event.level or "", "\n".join(item.event.lines))
        for item in items[-_MOST_EVENTS:]
    ]


def _parse_query(request: Request) -> tuple[tuple[Role, ...], str | None]:
    role, level = request.query_params.get("role"), request.query_params.get("level", "").upper()
    roles = tuple(each for each in Role if role in (None, "", each.value)) or tuple(Role)
    return roles, level if level in LOG_LEVELS else None
