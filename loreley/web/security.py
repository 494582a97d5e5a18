"""What every request must satisfy, and what every answer tells the browser to forbid."""

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = ("GET", "HEAD", "POST")
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# An SVG is a document of its own when it is opened by itself: it may draw, and nothing else.
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: browsers would then send forms with the origin null.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """Turns away requests that another site may have caused, before anything looks at them.

    A page of another site can make its own name point at this machine (DNS rebinding); a request
    that it causes still has that name in its Host header. Addresses cannot be pointed elsewhere.
    """

    def __init__(self, app: ASGIApp, *, names: Iterable[str]) -> None:
        """``names`` are host names, beside addresses, by which the server may be called."""
        self._app = app
        self._names = {"localhost", *(name.lower() for name in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_forbidding(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send_forbidding)
        else:
            await self._app(scope, receive, send_forbidding)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        if not self._is_known(headers.get("host", "")):
            text = "This name is not known here: use localhost, an address, or the name in --host."
            return PlainTextResponse(text, 421)
        if scope["method"] not in _METHODS:
            return PlainTextResponse("Only GET, HEAD and POST are understood.", 405)
        if scope["method"] == "POST" and not _is_own(headers):
            return PlainTextResponse("This form was sent by another site.", 403)
        return None

    def _is_known(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def list_own_names(host: str) -> set[str]:
    """The names by which a server that listens at ``host`` may be called."""
    return {host} if is_loopback(host) else {host, socket.gethostname()}


def _is_own(headers: Headers) -> bool:
    """Whether the browser says that a page of this server sent it; others need not say so."""
    try:
        origin = urlsplit(headers.get("origin", "")).netloc
    except ValueError:
        return False
    site = headers.get("sec-fetch-site", "same-origin")
    return origin == headers["host"] and site == "same-origin"
