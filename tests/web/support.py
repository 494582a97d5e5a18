"""A dashboard that runs, and runs to show on it."""

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import SecretStr

from loreley.config import Settings
from loreley.db.engine import Database
from loreley.web.app import create_app
from loreley.web.security import list_own_names
from loreley.web.serving import DashboardServer, listen
from loreley.web.session import Sessions
from loreley.web.site import Site
from tests.support import eventually

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A server that runs in a thread of the test."""

    port: int
    site: Site

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, headers: Mapping[str, str] = NOTHING) -> Answer:
        return self.ask("GET", path, headers)

    def post(self, path: str, form: str = "", headers: Mapping[str, str] = NOTHING) -> Answer:
        own = {"Origin": self.address, "Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, own | dict(headers), form)

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] = NOTHING, body: str = ""
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body or None, dict(headers))
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()


@contextmanager
def dashboard(
    database: Database, folder: Path, *, token: str | None = None, **settings: Any
) -> Iterator[Dashboard]:
    """A dashboard of this database, with what a state folder and logs may hold in ``folder``."""
    given = Settings(_env_file=None, loreley_state_dir=folder / "state", **settings)
    site = Site(database, given, folder, Sessions(SecretStr(token) if token else None))
    listener = listen("127.0.0.1", 0)
    server = DashboardServer(create_app(site, names=list_own_names("127.0.0.1")))
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
    thread.start()
    try:
        eventually(lambda: server.started)
        yield Dashboard(listener.getsockname()[1], site)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
        assert not thread.is_alive()
