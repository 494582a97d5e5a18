"""The kit: files that are well formed, and fit what Loreley really does."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from redis import Redis
from redis.exceptions import BusyLoadingError
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import text

from loreley.core.jobs import JobRecord
from loreley.db.engine import Database
from loreley.metrics.run import RunCollector
from loreley.metrics.work import WorkerFigures
from tests.evolved import Evolved
from tests.services import free_port
from tests.support import PROJECT_ROOT, eventually, killed_at_last

KIT = PROJECT_ROOT / "deploy"
PASSWORD = "hunter2-of-redis"


def documents(path: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((KIT / path).read_text()))


def test_every_file_of_the_kit_is_told_of() -> None:
    told = (KIT / "README.md").read_text()
    for path in KIT.iterdir():
        assert path.name == "README.md" or f"`{path.name}" in told, path.name


def test_the_image_holds_what_is_pinned_and_no_settings() -> None:
    lines = (KIT / "Containerfile").read_text().splitlines()
    copied = [
        line.split()[1:-1] for line in lines if line.startswith("COPY") and "--from" not in line
    ]
    allowed = (PROJECT_ROOT / ".containerignore").read_text().splitlines()

    for source in (each for sources in copied for each in sources):
        assert (PROJECT_ROOT / source).exists(), source
        assert f"!{source}" in allowed, source
    assert [sources for sources in copied if any(".env" in each for each in sources)] == [
        ["pyproject.toml", "README.md", "LICENSE", ".env.example"]
    ]
    assert (PROJECT_ROOT / ".dockerignore").read_text().splitlines() == allowed
    pinned = (PROJECT_ROOT / "requirements" / "fleet.txt").read_text()
    for name in ("psycopg-binary", "prometheus-client", "starlette", "openai"):
        assert re.search(rf"^{name}==.*\\$", pinned, re.MULTILINE), name


def test_compose_has_the_whole_fleet_and_no_password() -> None:
    (compose,) = documents("compose.yaml")
    services = compose["services"]

    assert set(services) == {"redis", "postgres", "scheduler", "worker", "page"}
    assert [services[each]["command"][0] for each in ("scheduler", "worker", "page")] == [
        "scheduler", "worker", "ui",
    ]  # fmt: skip
    assert services["page"]["ports"] == ["127.0.0.1:8420:8420"]
    assert "change-me" not in (KIT / "compose.yaml").read_text()
    settings = (KIT / "fleet.env.example").read_text()
    assert set(re.findall(r"^(\w+)=", settings, re.MULTILINE)) == {
        "REDIS_PASSWORD", "POSTGRES_PASSWORD", "TASKS_REDIS_URL", "DATABASE_URL",
    }  # fmt: skip


@pytest.mark.slow
def test_redis_of_compose_has_its_password_where_nobody_sees_it(tmp_path: Path) -> None:
    (compose,) = documents("compose.yaml")
    shell, option, script = compose["services"]["redis"]["command"]
    port = free_port()
    script = script.replace("$$", "$").replace("noeviction\n", f"noeviction\nport {port}\n")
    process = subprocess.Popen(
        [shell, option, script],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "REDIS_PASSWORD": PASSWORD},
        stdout=subprocess.DEVNULL,
        text=True,
    )
    with killed_at_last(process), Redis(port=port, password=PASSWORD) as client:
        eventually(lambda: _answers(client))
        commands = [_read_command(path) for path in Path("/proc").glob("[0-9]*/cmdline")]
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        client.shutdown(nosave=True)
        process.wait(10)
    assert any(b"redis-server" in command for command in commands)
    assert not any(PASSWORD.encode() in command for command in commands)


def _read_command(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # it has ended


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except (RedisConnectionError, BusyLoadingError):
        return False


def test_units_keep_to_what_a_worker_needs_to_end() -> None:
    worker = (KIT / "systemd" / "loreley-worker@.service").read_text()
    grace = float(re.search(r"^#TASKS_WORKER_GRACE_SECONDS=(\d+)", _settings(), re.M)[1])  # type: ignore[index]

    assert float(re.search(r"^TimeoutStopSec=(\d+)", worker, re.M)[1]) >= grace + 5  # type: ignore[index]
    for unit in (KIT / "systemd").iterdir():
        assert {"Type=notify", "WatchdogSec=180", "User=loreley"} <= set(
            unit.read_text().split("\n")
        )


def _settings() -> str:
    return (PROJECT_ROOT / ".env.example").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd")
def test_systemd_can_read_the_units(tmp_path: Path) -> None:
    for unit in (KIT / "systemd").iterdir():
        copy = tmp_path / unit.name.replace("@", "@1")
        copy.write_text(unit.read_text().replace("/opt/loreley/bin/loreley", sys.executable))
        done = subprocess.run(
            ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stderr


@pytest.mark.parametrize("role", ["scheduler", "worker"])
def test_manifests_probe_the_port_that_a_process_serves(role: str) -> None:
    (deployment,) = documents(f"kubernetes/{role}.yaml")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    settings = {each["name"]: each["value"] for each in container["env"]}
    served = int(settings["LORELEY_METRICS_PORT"]) + (role == "worker")

    assert container["args"] == [role]
    assert container["ports"] == [{"name": "metrics", "containerPort": served}]
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "metrics"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "metrics"}
    if role == "worker":
        assert "loreley drain" in container["lifecycle"]["preStop"]["exec"]["command"][2]


@pytest.mark.slow
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_query_that_scales_counts_open_jobs_and_none_of_a_pause(database: Database) -> None:
    query = documents("kubernetes/keda.yaml")[0]["spec"]["triggers"][0]["metadata"]["query"]
    run = Evolved(database)
    run.root()
    run.waiting()
    run.waiting(running=True)

    def counted() -> int:
        with database.read() as connection:
            return int(connection.execute(text(query)).scalar_one())

    assert counted() == 2
    with database.begin() as connection:
        connection.execute(text("UPDATE experiment SET pause = '{}'"))
    assert counted() == 0


def test_grafana_asks_for_figures_that_are_served(database: Database) -> None:
    run = Evolved(database)
    run.root(1.0)
    run.child(2.0)
    registry = CollectorRegistry()
    registry.register(RunCollector(database))
    WorkerFigures(registry).count_end("succeeded", JobRecord(), 1.0)
    served = {family.name for family in registry.collect()}
    dashboard = json.loads((KIT / "grafana" / "loreley.json").read_text())
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"loreley_\w+", target["expr"])
    }

    assert len(asked) >= 10
    for name in asked:
        assert re.sub(r"_(total|sum|count)$", "", name) in served or name in served, name


def test_the_script_of_the_array_is_one_of_bash() -> None:
    script = KIT / "slurm" / "workers.sbatch"
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert "--signal=B:USR1@" in script.read_text()
