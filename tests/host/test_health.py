"""What systemd is told of a process, on a real socket of its protocol."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from loreley.host.health import Health


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket that systemd listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_systemd_hears_when_a_process_is_ready_how_it_is_and_that_it_stops(
    manager: socket.socket,
) -> None:
    health = Health()

    def heard() -> list[str]:
        return manager.recv(4096).decode().splitlines()

    health.beat("the database is away")
    assert heard() == ["WATCHDOG=1", "STATUS=the database is away"]
    health.beat()
    assert heard() == ["WATCHDOG=1", "STATUS=online", "READY=1"]
    health.beat()
    assert heard() == ["WATCHDOG=1"]
    health.stop()
    assert heard() == ["STOPPING=1"]
    assert health.trouble == "stopping"


def test_without_systemd_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    health = Health()
    health.beat()
    assert (health.trouble, health.is_alive) == ("", True)
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
    health.beat("x")
