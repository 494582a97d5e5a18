"""Serving a process's figures and its health over HTTP, for Prometheus and for probes."""

import errno
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any, cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from loguru import logger
from prometheus_client import CollectorRegistry, make_wsgi_app

from loreley.errors import ConfigError
from loreley.host.health import Health

WORKERS_A_MACHINE = 100  # how many ports above the scheduler's are tried


@contextmanager
def serve_figures(
    registry: CollectorRegistry, health: Health, host: str, ports: Sequence[int]
) -> Iterator[int]:
    """Serve the figures at the first of these ports that is free; the port.

    ``/healthz`` answers 200 while the process lives, ``/readyz`` while nothing keeps it from work;
    both answer 503 else, with the reason. Raises `ConfigError` when no port is free, or when the
    address is not this machine's.
    """
    for port in ports:
        try:
            server = make_server(
                host, port, _make_app(registry, health), _Server, handler_class=_QuietHandler
            )
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            raise _unusable(host, ports, str(error)) from error
        thread = Thread(target=server.serve_forever, name="figures", daemon=True)
        thread.start()
        logger.info("figures for Prometheus: http://{}:{}/metrics", host, port)
        try:
            yield port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
        return
    raise _unusable(host, ports, "another process listens there")


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Log no request."""


def _make_app(
    registry: CollectorRegistry, health: Health
) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    figures = make_wsgi_app(registry)

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/healthz":
                trouble = "" if health.is_alive else "its work does not go on"
            case "/readyz":
                trouble = health.trouble if health.is_alive else "its work does not go on"
            case _:
                return cast(Iterable[bytes], figures(environ, start_response))
        status = "503 Service Unavailable" if trouble else "200 OK"
        start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
        return [f"{trouble or 'ok'}\n".encode()]

    return answer


def _unusable(host: str, ports: Sequence[int], reason: str) -> ConfigError:
    last = f" to {ports[-1]}" if len(ports) > 1 else ""
    return ConfigError(
        "the figures for Prometheus cannot be served",
        setting="LORELEY_METRICS_HOST, LORELEY_METRICS_PORT",
        target=f"{host}:{ports[0]}{last}",
        reason=reason,
        fix="choose another port, or set LORELEY_METRICS_PORT=0; a machine has one scheduler",
    )
