"""Figures for Prometheus, where the settings ask for them; else nothing is imported or served."""

from collections.abc import Iterator
from contextlib import contextmanager

from loreley.config import Settings
from loreley.core.jobs import JobStore
from loreley.db.engine import Database
from loreley.errors import ConfigError


@contextmanager
def measured(settings: Settings, jobs: JobStore) -> Iterator[JobStore]:
    """The store of a worker; its figures are served at the first free port above the scheduler's.

    Raises `ConfigError` without a port, and where the libraries are missing.
    """
    first = settings.loreley_metrics_port
    if not first:
        yield jobs
        return
    _require_libraries()
    from prometheus_client import CollectorRegistry

    from loreley.metrics.endpoint import WORKERS_A_MACHINE, served
    from loreley.metrics.work import MeasuredJobs, WorkerFigures

    registry = CollectorRegistry()
    ports = range(first + 1, first + 1 + WORKERS_A_MACHINE)
    with served(registry, settings.loreley_metrics_host, ports):
        yield MeasuredJobs(jobs, WorkerFigures(registry))


@contextmanager
def run_figures(settings: Settings, database: Database) -> Iterator[None]:
    """Serve the figures of the run at the port itself, for as long as the scheduler works."""
    port = settings.loreley_metrics_port
    if not port:
        yield
        return
    _require_libraries()
    from prometheus_client import CollectorRegistry

    from loreley.metrics.endpoint import served
    from loreley.metrics.run import RunCollector

    registry = CollectorRegistry()
    registry.register(RunCollector(database))
    with served(registry, settings.loreley_metrics_host, [port]):
        yield


def _require_libraries() -> None:
    try:
        import prometheus_client  # noqa: F401
    except ModuleNotFoundError as error:
        raise ConfigError(
            "the figures for Prometheus need a library that is not installed",
            setting="LORELEY_METRICS_PORT",
            reason=str(error),
            fix="run `uv sync --extra metrics`, or set LORELEY_METRICS_PORT=0",
        ) from error
