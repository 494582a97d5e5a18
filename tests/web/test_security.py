"""Who is answered, and what browsers are told to forbid."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from loreley.db.engine import Database
from loreley.errors import ConfigError
from loreley.web.security import is_loopback, list_own_names
from loreley.web.serving import listen
from tests.web.support import Dashboard, dashboard


@pytest.fixture
def shown(database: Database, tmp_path: Path) -> Iterator[Dashboard]:
    with dashboard(database, tmp_path) as running:
        yield running


@pytest.mark.parametrize(
    "host", ["127.0.0.1:{}", "localhost:{}", "[::1]:{}", "LOCALHOST", "10.1.2.3"]
)
def test_addresses_and_localhost_are_answered(shown: Dashboard, host: str) -> None:
    assert shown.get("/", {"Host": host.format(shown.port)}).status == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:80", "", "[::1", "1.2.3"])
def test_requests_under_other_names_are_refused(shown: Dashboard, host: str) -> None:
    answer = shown.get("/", {"Host": host})

    assert answer.status in (400, 421)
    assert b"<html" not in answer.body


def test_every_answer_forbids_what_is_not_needed(shown: Dashboard) -> None:
    for path in (
        "/",
        "/nothing",
        "/static/style.css",
        "/static/d3-7.9.0.min.js",
        "/figures/history",
    ):
        headers = shown.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_only_reading_and_forms_are_understood(shown: Dashboard) -> None:
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE"):
        assert shown.ask(method, "/").status == 405


def test_a_form_of_another_site_is_refused(shown: Dashboard) -> None:
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        assert shown.post("/", headers=headers).status == 403
    assert shown.ask("POST", "/").status == 403  # without any origin


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "null", "//"])
def test_an_origin_that_is_none_is_refused_and_no_failure(shown: Dashboard, origin: str) -> None:
    assert shown.post("/steering/notes", "text=x", {"Origin": origin}).status == 403


def test_files_beside_the_static_ones_are_out_of_reach(shown: Dashboard) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd"):
        assert shown.get(path).status == 404


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=r"Address already in use[\s\S]*another --port"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("127.0.0.1", -1)])
def test_ports_that_cannot_be_are_refused(host: str, port: int) -> None:
    with pytest.raises(ConfigError, match="no such port"):
        listen(host, port)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7", "not a host"])
def test_hosts_that_are_not_this_machine_are_refused(host: str) -> None:
    with pytest.raises(ConfigError, match="--host"):
        listen(host, 0)


def test_names_by_which_the_server_may_be_called() -> None:
    assert list_own_names("127.0.0.1") == {"127.0.0.1"}
    assert socket.gethostname() in list_own_names("0.0.0.0")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("example.org")
