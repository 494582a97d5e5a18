"""Serving a process's figures over HTTP, for Prometheus to fetch."""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from loguru import logger
from prometheus_client import CollectorRegistry, start_http_server

from loreley.errors import ConfigError

WORKERS_A_MACHINE = 100  # how many ports above the scheduler's are tried


@contextmanager
def serve_figures(registry: CollectorRegistry, host: str, ports: Sequence[int]) -> Iterator[int]:
    """Serve the figures at the first of these ports that is free; the port.

    Raises `ConfigError` when none is, or when the address is not this machine's.
    """
    for port in ports:
        try:
            server, thread = start_http_server(port, host, registry)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            raise _unusable(host, ports, str(error)) from error
        logger.info("figures for Prometheus: http://{}:{}/metrics", host, port)
        try:
            yield port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
        return
    raise _unusable(host, ports, "another process listens there")


def _unusable(host: str, ports: Sequence[int], reason: str) -> ConfigError:
    last = f" to {ports[-1]}" if len(ports) > 1 else ""
    return ConfigError(
        "the figures for Prometheus cannot be served",
        setting="LORELEY_METRICS_HOST, LORELEY_METRICS_PORT",
        target=f"{host}:{ports[0]}{last}",
        reason=reason,
        fix="choose another port, or set LORELEY_METRICS_PORT=0; a machine has one scheduler",
    )
