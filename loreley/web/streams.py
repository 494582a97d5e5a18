"""What the server tells open pages by itself: server-sent events, bounded in number and rate."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from loreley.errors import ServiceUnavailable
from loreley.views.change_token import read_change_token
from loreley.web.rendering import site_of

_POLL_SECONDS = 0.5
_BEAT_SECONDS = 15.0
_MOST_STREAMS = 64


@dataclass(slots=True)
class Streams:
    """How many pages listen, and whether the server is ending."""

    closing: asyncio.Event = field(default_factory=asyncio.Event)
    _open: int = 0

    @property
    def is_full(self) -> bool:
        """Whether no further page may listen."""
        return self._open >= _MOST_STREAMS

    @contextmanager
    def count(self) -> Iterator[None]:
        """Count a page for as long as it listens."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    async def pause(self) -> bool:
        """Wait for the next look; False when the server is ending."""
        try:
            await asyncio.wait_for(self.closing.wait(), _POLL_SECONDS)
        except TimeoutError:
            return True
        return False


def stream(request: Request, look: Callable[[], list[tuple[str, Any]]]) -> Response:
    """An answer that goes on: ``look`` is asked in a thread, again and again, for new events."""
    streams: Streams = request.app.state.streams
    if streams.is_full:
        return PlainTextResponse("Too many pages are open.", 503, {"Retry-After": "30"})
    return StreamingResponse(
        _generate_events(request, streams, look),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


def stream_changes(request: Request) -> Response:
    """Tell a page whenever something in the database has changed."""
    database = site_of(request).database
    last: list[object] = []

    def look() -> list[tuple[str, Any]]:
        try:
            current = read_change_token(database)
        except ServiceUnavailable:
            last.clear()  # that it is back is a change
            raise
        if last == [current]:
            return []
        last[:] = [current]
        return [("changed", None)]

    return stream(request, look)


async def _generate_events(
    request: Request, streams: Streams, look: Callable[[], list[tuple[str, Any]]]
) -> AsyncIterator[str]:
    silent, is_away = 0.0, False
    with streams.count():
        yield "retry: 2000\n\n"
        while True:
            try:
                found, is_away = await run_sync(look), False
            except ServiceUnavailable as error:
                found, is_away = [] if is_away else [("away", error.summary)], True
            for name, content in found:
                yield f"event: {name}\ndata: {json.dumps(content)}\n\n"
            silent = 0.0 if found else silent + _POLL_SECONDS
            if silent >= _BEAT_SECONDS:
                silent = 0.0
                yield ": still here\n\n"
            if not await streams.pause() or await request.is_disconnected():
                return
