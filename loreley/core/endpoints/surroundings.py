"""What stands between this host and an endpoint: a proxy, certificates, the network."""

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loreley.errors import ConfigError
from loreley.masking import masked

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an endpoint cannot be reached, and what to change."""

    what: str
    setting: str
    fix: str


def require_surroundings(environ: Mapping[str, str] = os.environ) -> None:
    """Make sure that proxy and certificates of the environment can be used; raises `ConfigError`.

    The client below the library reads them when it is made, so it is made once.
    """
    import openai

    try:
        openai.DefaultHttpxClient().close()
    except ImportError as error:
        raise ConfigError(
            "a SOCKS proxy is set, and the package for it is not installed",
            setting=_name_proxies(environ, "socks"),
            reason=masked(str(error)),
            fix="pip install socksio, or unset the variable, or give the address of an HTTP proxy",
        ) from error
    except (OSError, ssl.SSLError) as error:
        key_log = environ.get("SSLKEYLOGFILE", "")
        if key_log and getattr(error, "filename", None) == key_log:
            raise ConfigError(
                "the file for the keys of connections cannot be written",
                setting="SSLKEYLOGFILE",
                target=key_log,
                reason=str(error),
                fix="unset the variable, or name a file that the user of the worker may write",
            ) from error
        raise _certificate_error(environ, str(error)) from error
    except ValueError as error:
        raise _proxy_error(environ, str(error)) from error
    except Exception as error:
        if type(error).__name__ == "InvalidURL":  # of a package whose name differs
            raise _proxy_error(environ, str(error)) from error
        raise
    folder = "" if environ.get("SSL_CERT_FILE") else environ.get("SSL_CERT_DIR", "")
    if folder and not any(map(os.path.isdir, folder.split(os.pathsep))):
        raise _certificate_error(environ, f"{folder!r} is no folder")


def find_obstacle(error: BaseException, url_setting: str) -> Obstacle:
    """What kept a question from an endpoint, by the error and what has caused it."""
    words = " ".join(f"{type(each).__name__} {each}" for each in _causes(error))
    if re.search(r"certificate|SSLCert|self.signed", words, re.IGNORECASE):
        return Obstacle(
            "the certificate of the {name} endpoint is not trusted",
            f"SSL_CERT_FILE, {url_setting}",
            "name in SSL_CERT_FILE a file with the certificate of whoever signed it, such as that "
            "of a company's proxy, or correct the host in the URL",
        )
    if re.search(r"ProxyError|proxy", words, re.IGNORECASE):
        return Obstacle(
            "the proxy on the way to the {name} endpoint refuses",
            f"{_name_proxies(os.environ)}, NO_PROXY",
            "correct the proxy's address and login, or put the endpoint's host into NO_PROXY",
        )
    if re.search(r"wrong version number|WRONG_VERSION|record layer", words, re.IGNORECASE):
        return Obstacle(
            "the {name} endpoint does not speak TLS",
            url_setting,
            "write http:// for a server without certificates",
        )
    if re.search(r"Name or service not known|nodename|name resolution|getaddrinfo", words):
        return Obstacle(
            "the host of the {name} endpoint is not known",
            url_setting,
            "correct the host's name, or mend the name resolution of this machine",
        )
    if re.search(r"refused|unreachable|No route", words):
        return Obstacle(
            "nothing answers at the {name} endpoint",
            url_setting,
            "start the server, or correct host and port; a server on another machine must listen "
            "on more than its loopback",
        )
    return Obstacle(
        "the {name} endpoint does not answer as needed",
        url_setting,
        "check that it runs and can be reached, or wait for its limits to be over",
    )


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _name_proxies(environ: Mapping[str, str], scheme: str = "") -> str:
    names = [
        name
        for upper in _PROXIES
        for name in (upper, upper.lower())
        if environ.get(name, "").startswith(scheme) and environ.get(name)
    ]
    return ", ".join(names) or "HTTPS_PROXY"


def _proxy_error(environ: Mapping[str, str], reason: str) -> ConfigError:
    return ConfigError(
        "the address of a proxy cannot be used",
        setting=_name_proxies(environ),
        reason=masked(reason)[:300],
        fix="write http://host:port, https://host:port or socks5://host:port",
    )


def _certificate_error(environ: Mapping[str, str], reason: str) -> ConfigError:
    name = "SSL_CERT_FILE" if environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
    path = environ.get(name, "")
    is_missing = bool(path) and not Path(path).exists()
    return ConfigError(
        "the certificates that the environment names cannot be read",
        setting=name,
        target=path,
        reason="there is no such file" if is_missing else reason[:300],
        fix="name a file with certificates in PEM, or unset the variable",
    )
