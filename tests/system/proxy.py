"""A TCP proxy that can refuse, drop, hold back and delay what passes through it."""

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_PIECE = 1 << 16
_LOOK_SECONDS = 0.02


@dataclass
class Proxy:
    """Carries bytes between its own port on loopback and a server, until it is told otherwise."""

    server: tuple[str, int]
    port: int = 0
    delay_seconds: float = 0.0
    _held: threading.Event = field(default_factory=threading.Event)
    _refusing: threading.Event = field(default_factory=threading.Event)
    _closing: threading.Event = field(default_factory=threading.Event)
    _pairs: set[tuple[socket.socket, socket.socket]] = field(default_factory=set)

    @classmethod
    @contextmanager
    def to(cls, url: str) -> Iterator["Proxy"]:
        """A proxy to the server of a URL."""
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        proxy = cls((parts.hostname, parts.port))
        with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
            proxy.port = int(listener.getsockname()[1])
            thread = threading.Thread(target=proxy._accept, args=(listener,), daemon=True)
            thread.start()
            try:
                yield proxy
            finally:
                proxy._closing.set()
                proxy.drop()
                thread.join(5)

    def instead_of(self, url: str) -> str:
        """The URL with this proxy in the place of the server."""
        parts = urlsplit(url)
        user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        return parts._replace(netloc=f"{user}127.0.0.1:{self.port}").geturl()

    def drop(self) -> None:
        """Cut every connection there is."""
        for pair in list(self._pairs):
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Cut every connection, and each new one, meanwhile."""
        self._refusing.set()
        self.drop()
        try:
            yield
        finally:
            self._refusing.clear()

    @contextmanager
    def blackholed(self) -> Iterator[None]:
        """Accept connections and bytes meanwhile, and let nothing through."""
        self._held.set()
        try:
            yield
        finally:
            self._held.clear()

    def _accept(self, listener: socket.socket) -> None:
        listener.settimeout(_LOOK_SECONDS)
        while not self._closing.is_set():
            with suppress(TimeoutError):
                client, _ = listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            if self._refusing.is_set():
                return
            with socket.create_connection(self.server, timeout=5) as server:
                pair = (client, server)
                self._pairs.add(pair)
                try:
                    self._exchange(client, server)
                finally:
                    self._pairs.discard(pair)

    def _exchange(self, client: socket.socket, server: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while not self._closing.is_set():
                if self._held.is_set():
                    time.sleep(_LOOK_SECONDS)
                    continue
                for key, _ in selector.select(_LOOK_SECONDS):
                    content = key.fileobj.recv(_PIECE)  # type: ignore[union-attr]
                    if not content:
                        return
                    time.sleep(self.delay_seconds)
                    while self._held.is_set() and not self._closing.is_set():
                        time.sleep(_LOOK_SECONDS)
                    key.data.sendall(content)
