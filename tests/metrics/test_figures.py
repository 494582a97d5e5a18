"""The figures for Prometheus, fetched as Prometheus fetches them."""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from loguru import logger
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from loreley.config import Settings
from loreley.core.budget import OpenCall, Usage
from loreley.core.jobs import JobRecord, ignore_end
from loreley.db.engine import Database, open_database
from loreley.db.jobs import Jobs
from loreley.db.spend import Spend
from loreley.errors import ConfigError
from loreley.host.health import Health
from loreley.metrics.endpoint import serve_figures
from loreley.metrics.run import RunCollector
from loreley.tasks.figures import serve_run_figures, serve_worker_figures
from tests.evolved import Evolved
from tests.services import free_port, own_postgresql

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def fetched(port: int) -> Figures:
    """Every figure by its name and labels."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        }


@contextmanager
def ports_served() -> Iterator[list[int]]:
    """The ports at which this process serves figures from now on, in their order, from its log."""
    ports: list[int] = []

    def read(line: str) -> None:
        if found := re.search(r"figures for Prometheus: http://127.0.0.1:(\d+)/", line):
            ports.append(int(found[1]))

    sink = logger.add(read, level="INFO")
    try:
        yield ports
    finally:
        logger.remove(sink)


def asked(database: Database) -> Figures:
    registry = CollectorRegistry()
    registry.register(RunCollector(database))
    with serve_figures(registry, Health(), "127.0.0.1", [free_port()]) as port:
        return fetched(port)


def test_the_figures_of_a_run_are_served(database: Database) -> None:
    run = Evolved(database)
    run.root(1.0)
    run.child(3.0, width=5)
    run.failure()
    run.failure(rejected=True)
    run.waiting()
    run.waiting(running=True)
    claim = Jobs(database).claim(run.waiting(), worker="host:1", lease_seconds=30)
    opened = Spend(database).open(claim, "claude")
    assert isinstance(opened, OpenCall)
    Spend(database).close(opened.call_id, Usage(100, 20, 0, 0.25), 1.0)

    figures = asked(database)

    assert figures["loreley_database_up", ()] == 1
    assert figures["loreley_jobs_total", (("outcome", "succeeded"),)] == 1
    assert figures["loreley_jobs_total", (("outcome", "failed"),)] == 1
    assert figures["loreley_jobs_total", (("outcome", "rejected"),)] == 1
    assert figures["loreley_open_jobs", (("state", "running"),)] == 2
    assert figures["loreley_open_jobs", (("state", "queued"),)] == 1
    assert 0 < figures["loreley_queue_age_seconds", ()] < 60
    assert figures["loreley_archive_cells", (("island", "0"),)] == 2
    assert figures["loreley_archive_cells", (("island", "1"),)] == 1
    assert figures["loreley_coverage", ()] == 2 / 50
    assert figures["loreley_archive_qd_score", (("island", "0"),)] == 2.0
    assert figures["loreley_fitness", (("of", "best"),)] == 3.0
    assert figures["loreley_agent_dollars_total", (("agent", "claude"),)] == 0.25
    assert figures["loreley_agent_tokens_total", (("agent", "claude"),)] == 120


def test_an_empty_database_has_figures_too(database: Database) -> None:
    figures = asked(database)
    assert figures["loreley_database_up", ()] == 1
    assert figures["loreley_queue_age_seconds", ()] == 0


@pytest.mark.slow
def test_a_database_that_is_away_is_reported_and_nothing_else() -> None:
    with own_postgresql() as server:
        url = server.url.replace("postgresql://", "postgresql+psycopg://")
        database = open_database(url)
        server.stop()
        try:
            figures = asked(database)
        finally:
            database.close()
            server.start()
    assert figures == {("loreley_database_up", ()): 0}


def settings(port: int, tmp_path: Path) -> Settings:
    return Settings(_env_file=None, loreley_state_dir=tmp_path, loreley_metrics_port=port)


def test_a_worker_counts_outcomes_and_stages(tmp_path: Path) -> None:
    port = free_port()
    record = JobRecord(agent_seconds=2.0, stage_seconds={"evaluation": 0.5})

    with (
        ports_served() as ports,
        serve_worker_figures(settings(port, tmp_path), Health()) as count_end,
    ):
        count_end("succeeded", record, 3.0)
        for outcome in ("failed_agent", "released", "rejected"):
            count_end(outcome, JobRecord(), 1.0)
        [own_port] = ports
        figures = fetched(own_port)

    name = "loreley_worker_jobs_total"
    outcomes = {labels[0][1]: value for (each, labels), value in figures.items() if each == name}
    assert outcomes == {"succeeded": 1, "failed_agent": 1, "released": 1, "rejected": 1}
    stage = "loreley_worker_stage_seconds_sum"
    assert figures[stage, (("stage", "agent"),)] == 2.0
    assert figures[stage, (("stage", "evaluation"),)] == 0.5
    assert figures["loreley_worker_stage_seconds_count", (("stage", "whole"),)] == 4
    assert figures[stage, (("stage", "whole"),)] == 6.0


@pytest.mark.slow
def test_workers_of_a_machine_take_ports_one_after_the_other(
    database: Database, tmp_path: Path
) -> None:
    port = free_port()
    with ports_served() as ports, ExitStack() as stack:
        stack.enter_context(serve_run_figures(settings(port, tmp_path), database, Health()))
        for _ in range(3):
            stack.enter_context(serve_worker_figures(settings(port, tmp_path), Health()))
        assert ("loreley_database_up", ()) in fetched(port)
        assert ports[0] == port < ports[1] < ports[2] < ports[3]
        for each in ports[1:]:
            assert ("loreley_database_up", ()) not in fetched(each)


def test_a_second_scheduler_on_the_machine_is_refused(database: Database, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(ConfigError, match="another process listens there"),
            serve_run_figures(settings(port, tmp_path), database, Health()),
        ):
            pass


def test_without_a_port_nothing_listens(database: Database, tmp_path: Path) -> None:
    with (
        serve_worker_figures(settings(0, tmp_path), Health()) as count_end,
        serve_run_figures(settings(0, tmp_path), database, Health()),
    ):
        assert count_end is ignore_end


def test_probes_are_answered_beside_the_figures() -> None:
    clock = [0.0]
    health = Health(lambda: clock[0])
    with serve_figures(CollectorRegistry(), health, "127.0.0.1", [free_port()]) as port:

        def asked_for(path: str) -> tuple[int, str]:
            try:
                with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                    return answer.status, answer.read().decode().strip()
            except HTTPError as error:
                return error.code, error.read().decode().strip()

        assert asked_for("/healthz") == (200, "ok")
        assert asked_for("/readyz") == (503, "starting")
        health.beat()
        assert asked_for("/readyz") == (200, "ok")
        health.beat("the database does not answer as needed")
        assert asked_for("/readyz") == (503, "the database does not answer as needed")
        assert asked_for("/healthz") == (200, "ok")
        clock[0] = 300.0
        assert asked_for("/healthz") == (503, "its work does not go on")
