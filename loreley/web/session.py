"""Who may change something: whoever has shown the token; nobody where there is none."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

COOKIE = "loreley_entry"
_MOST_SESSIONS = 100


@dataclass(slots=True)
class Sessions:
    """The token, and the browsers that have shown it; they are forgotten when the server ends."""

    token: SecretStr | None
    _sessions: dict[str, None] = field(default_factory=dict)

    @property
    def are_possible(self) -> bool:
        """Whether anything may be changed at all."""
        return self.token is not None

    def is_right(self, shown: str) -> bool:
        """Whether this is the token; takes the same time however much of it is right."""
        if self.token is None:
            return False
        return hmac.compare_digest(_digest(shown), _digest(self.token.get_secret_value()))

    def is_open(self, request: Request) -> bool:
        """Whether the browser has shown the token, or the request itself carries it."""
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.is_right(shown)
        return (
            self.are_possible and _digest(request.cookies.get(COOKIE, "")).hex() in self._sessions
        )

    def begin(self, response: Response) -> None:
        """Remember the browser that gets this answer."""
        session = secrets.token_urlsafe(32)
        self._sessions[_digest(session).hex()] = None
        while len(self._sessions) > _MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        response.set_cookie(COOKIE, session, httponly=True, samesite="strict", path="/")

    def end(self, request: Request, response: Response) -> None:
        """Let the browser change nothing more."""
        self._sessions.pop(_digest(request.cookies.get(COOKIE, "")).hex(), None)
        response.delete_cookie(COOKIE, path="/")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
