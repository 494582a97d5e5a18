"""Proxies and certificates of the environment (row 11), and connections that fail."""

import ssl

import pytest

from loreley.core.endpoints.surroundings import find_obstacle, require_surroundings
from loreley.errors import ConfigError


@pytest.mark.slow  # importing the client takes more than a second
@pytest.mark.parametrize(
    ("name", "value", "what", "fix"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:1", "a SOCKS proxy", "pip install socksio"),
        ("HTTPS_PROXY", "ftp://127.0.0.1:1", "the address of a proxy", "http://host:port"),
        ("HTTPS_PROXY", "http://host:port", "the address of a proxy", "http://host:port"),
        ("SSL_CERT_FILE", "/no/such/file.pem", "the certificates", "in PEM"),
        ("SSL_CERT_FILE", "/etc/hostname", "the certificates", "in PEM"),
        ("SSL_CERT_DIR", "/no/such/folder", "the certificates", "in PEM"),
        ("SSL_CERT_FILE", "/tmp", "the certificates", "in PEM"),
        ("ALL_PROXY", "socks4://127.0.0.1:1", "the address of a proxy", "socks5://"),
        ("HTTPS_PROXY", '"http://a:1"', "the address of a proxy", "http://host:port"),
        ("SSLKEYLOGFILE", "/no/such/folder/keys", "the keys of connections", "unset"),
    ],
)
def test_row_11_what_the_client_cannot_use_is_told_at_the_start(
    name: str, value: str, what: str, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigError, match=what) as raised:
        require_surroundings()

    [problem] = raised.value.problems
    assert name in problem.setting
    assert fix in problem.fix


@pytest.mark.slow
def test_row_11_an_environment_without_any_of_it_is_good() -> None:
    require_surroundings()


@pytest.mark.parametrize(
    ("error", "what", "setting"),
    [
        (ssl.SSLError("certificate verify failed: self-signed"), "certificate", "SSL_CERT_FILE"),
        (ConnectionError("407 Proxy Authentication Required"), "the proxy", "NO_PROXY"),
        (ssl.SSLError("[SSL: WRONG_VERSION_NUMBER] wrong version number"), "speak TLS", "X_URL"),
        (OSError("[Errno -2] Name or service not known"), "is not known", "X_URL"),
        (ConnectionRefusedError("[Errno 111] Connection refused"), "nothing answers", "X_URL"),
        (TimeoutError("timed out"), "does not answer as needed", "X_URL"),
    ],
)
def test_each_obstacle_on_the_way_has_its_own_words(
    error: OSError, what: str, setting: str
) -> None:
    outer = RuntimeError("Connection error.")
    outer.__cause__ = error

    obstacle = find_obstacle(outer, "X_URL")

    assert what in obstacle.what
    assert setting in obstacle.setting
    assert obstacle.fix
