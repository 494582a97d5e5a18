"""Figures for Prometheus, where the settings ask for them; else nothing is imported or served."""

from collections.abc import Iterator
from contextlib import contextmanager

from loreley.config import Settings
from loreley.core.jobs import CountEnd, ignore_end
from loreley.db.engine import Database
from loreley.errors import ConfigError
from loreley.host.health import Health
from loreley.invocation import installing


@contextmanager
def serve_worker_figures(settings: Settings, health: Health) -> Iterator[CountEnd]:
    """Serve a worker's figures at the first free port above the scheduler's; who counts its jobs.

    Raises `ConfigError` without a port, and where the libraries are missing.
    """
    first = settings.loreley_metrics_port
    if not first:
        yield ignore_end
        return
    _require_libraries()
    from prometheus_client import CollectorRegistry

    from loreley.metrics.endpoint import WORKERS_A_MACHINE, serve_figures
    from loreley.metrics.work import WorkerFigures

    registry = CollectorRegistry()
    ports = range(first + 1, first + 1 + WORKERS_A_MACHINE)
    with serve_figures(registry, health, settings.loreley_metrics_host, ports):
        yield WorkerFigures(registry).count_end


@contextmanager
def serve_run_figures(settings: Settings, database: Database, health: Health) -> Iterator[None]:
    """Serve the figures of the run at the port itself, for as long as the scheduler works."""
    port = settings.loreley_metrics_port
    if not port:
        yield
        return
    _require_libraries()
    from prometheus_client import CollectorRegistry

    from loreley.metrics.endpoint import serve_figures
    from loreley.metrics.run import RunCollector

    registry = CollectorRegistry()
    registry.register(RunCollector(database))
    with serve_figures(registry, health, settings.loreley_metrics_host, [port]):
        yield


def _require_libraries() -> None:
    try:
        import prometheus_client  # noqa: F401
    except ModuleNotFoundError as error:
        raise ConfigError(
            "the figures for Prometheus need a library that is not installed",
            setting="LORELEY_METRICS_PORT",
            reason=str(error),
            fix=f"run {installing('metrics')}, or set LORELEY_METRICS_PORT=0",
        ) from error
