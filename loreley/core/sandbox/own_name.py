"""Whether this host's own name leads to an address, as programs expect of it."""

import socket
from functools import lru_cache

from loreley.errors import LoreleyError
from loreley.host.deadline import Deadline
from loreley.host.interruptible import run_interruptibly

_SECONDS = 5.0  # name servers that do not answer are waited for

FIX = "add a line `127.0.1.1 <its name>` to /etc/hosts"


@lru_cache(maxsize=1)
def find_unknown_name() -> str:
    """The host's own name where it leads nowhere; else nothing."""
    name = socket.gethostname()
    try:
        run_interruptibly(
            lambda: socket.getaddrinfo(name, None),
            Deadline.after(_SECONDS),
            "looking up this host's own name",
        )
    except (OSError, UnicodeError, LoreleyError):
        return name
    return ""
