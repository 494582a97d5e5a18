"""`invoke ui`: the server's own life, from a free port to Ctrl+C."""

import errno
import socket
from contextlib import closing, suppress
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from loreley.config import Settings
from loreley.db.engine import open_database
from loreley.errors import ConfigError
from loreley.ops.messages import say
from loreley.web.app import create_app
from loreley.web.security import is_loopback, list_own_names
from loreley.web.session import Sessions
from loreley.web.site import Site
from loreley.web.streams import Streams

_ENDING_SECONDS = 2


def serve(settings: Settings, logs_base: Path, *, host: str, port: int) -> None:
    """Show the experiment until a stop is asked for.

    Raises `ConfigError` for a port that cannot be had and a database that cannot be read.
    """
    listener = listen(host, port)
    with closing(listener), closing(open_database(settings.sqlalchemy_url)) as database:
        sessions = Sessions(settings.loreley_ui_token)
        app = create_app(Site(database, settings, logs_base, sessions), names=list_own_names(host))
        server = DashboardServer(app)
        _announce(listener, host, sessions)
        with suppress(KeyboardInterrupt):  # uvicorn raises it again when all has ended
            server.run(sockets=[listener])


class DashboardServer(uvicorn.Server):
    """Serves an app; tells of itself nothing but what is wrong, and ends at once."""

    def __init__(self, app: Starlette) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_ENDING_SECONDS,
                lifespan="off",
                ws="none",
            )
        )
        self._streams: Streams = app.state.streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams first: they would go on for as long as a page is open."""
        self._streams.closing.set()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at this address; raises `ConfigError` when it cannot be had."""
    if not 0 <= port <= 65535:
        raise ConfigError(
            "there is no such port",
            setting="--port",
            target=str(port),
            fix="give a number from 1 to 65535, or 0 for any that is free",
        )
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, number, _, address = found[0]
        listener = socket.socket(family, kind, number)
    except OSError as error:
        raise _unusable(host, port, error) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise _unusable(host, port, error) from error
    return listener


def _unusable(host: str, port: int, error: OSError) -> ConfigError:
    fixes = {
        errno.EADDRINUSE: "stop what listens there, or give another --port; 0 takes a free one",
        errno.EACCES: "give a --port above 1023",
    }
    return ConfigError(
        "the dashboard cannot listen there",
        setting="--host, --port",
        target=f"{host}:{port}",
        reason=error.strerror or str(error),
        fix=fixes.get(error.errno or 0, "give an address of this machine as --host"),
    )


def _announce(listener: socket.socket, host: str, sessions: Sessions) -> None:
    port = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    say(f"ui: http://{shown}:{port}/  (Ctrl+C ends it)")
    if sessions.are_possible:
        say("ui: whoever shows the token in LORELEY_UI_TOKEN may steer the run")
    if not is_loopback(host):
        say(
            "ui: warning: whoever reaches this address can read everything; without encryption. "
            "`ssh -L` to a loopback address is safer: see docs/ui.md"
        )
