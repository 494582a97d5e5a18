"""What can be done to a run, by whoever has shown the token."""

import asyncio
from urllib.parse import parse_qs

from anyio.to_thread import run_sync
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from loreley.db.briefs.notebook import add_note, read_standing_notes, withdraw_note
from loreley.db.engine import Database
from loreley.db.schedule import Schedule
from loreley.errors import ConfigError
from loreley.ops.notes import LONGEST_NOTE, parse_note
from loreley.web.rendering import page, site_of

_PAGE = "/steering"
_LARGEST_FORM_BYTES = 64 * 1024
_WRONG_TOKEN_SECONDS = 0.5  # a token is not to be found by trying


def steering_page(request: Request) -> Response:
    """The notes that every later agent is told, and the way in."""
    site = site_of(request)
    if not site.sessions.are_possible:
        raise HTTPException(404, "Nothing can be changed here: LORELEY_UI_TOKEN is not set")
    with site.database.read() as connection:
        notes = read_standing_notes(connection)
    return page(request, "steering.html", notes=notes, longest=LONGEST_NOTE)


async def unlock(request: Request) -> Response:
    """Let the browser that shows the token change things."""
    sessions = site_of(request).sessions
    shown = (await _read_form(request)).get("token", "")
    if not sessions.is_right(shown):
        await asyncio.sleep(_WRONG_TOKEN_SECONDS)
        raise HTTPException(403, "This is not the token")
    answer = RedirectResponse(_PAGE, 303)
    sessions.begin(answer)
    return answer


async def lock(request: Request) -> Response:
    """Let the browser change nothing more."""
    answer = RedirectResponse(_PAGE, 303)
    site_of(request).sessions.end(request, answer)
    return answer


async def add_note_page(request: Request) -> Response:
    """Put a line into every later brief."""
    _require_session(request)
    try:
        text = parse_note((await _read_form(request)).get("text", ""))
    except ConfigError as error:
        raise HTTPException(400, f"A note has 1 to {LONGEST_NOTE:,} characters") from error
    await run_sync(add_note, site_of(request).database, text)
    return RedirectResponse(_PAGE, 303)


async def withdraw_note_page(request: Request) -> Response:
    """Leave a note out of later briefs."""
    _require_session(request)
    number = request.path_params["number"]
    if not await run_sync(withdraw_note, site_of(request).database, number):
        raise HTTPException(404, "No such note stands")
    return RedirectResponse(_PAGE, 303)


async def cancel_job_page(request: Request) -> Response:
    """Cancel a job that waits or runs."""
    _require_session(request)
    job_id = request.path_params["job_id"]
    why = "cancelled on the dashboard"
    if not await run_sync(_cancel, site_of(request).database, job_id, why):
        raise HTTPException(409, "It has ended, or is no job of the search")
    return RedirectResponse(f"/jobs/{job_id}", 303)


def _cancel(database: Database, job_id: str, why: str) -> bool:
    schedule = Schedule(database)
    return schedule.cancel(job_id, why) or schedule.cancel(job_id, why, is_running=True)


def _require_session(request: Request) -> None:
    if not site_of(request).sessions.is_open(request):
        raise HTTPException(403, "Show the token first: see Steering")


async def _read_form(request: Request) -> dict[str, str]:
    """The fields of a form as browsers send it; the first of each name."""
    content = b""
    async for piece in request.stream():
        content += piece
        if len(content) > _LARGEST_FORM_BYTES:
            raise HTTPException(413, "That is too much")
    try:
        fields = parse_qs(content.decode(), max_num_fields=20)
    except ValueError as error:
        raise HTTPException(400, "The form cannot be read") from error
    return {name: values[0] for name, values in fields.items()}
