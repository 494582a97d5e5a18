"""A stand-in for a model's provider on loopback: it answers, refuses, or hangs."""

import gzip
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.core.agents.provider.model import take_step
from tests.core.agents.provider.protocols import NO_CREDIT, NO_KEY, PROTOCOLS, Protocol

HANG = "hang"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a provider says in place of an answer."""

    status: int
    code: str
    words: str
    headers: Mapping[str, str] = field(default_factory=dict)


_CREDIT_WORDS = "You exceeded your current quota, please check your plan and billing details."
REFUSALS: Mapping[str, Refusal] = {
    "key": Refusal(401, NO_KEY, "Incorrect API key provided: sk-some***key."),
    "credit": Refusal(429, NO_CREDIT, _CREDIT_WORDS),
    "rate": Refusal(
        429,
        "rate_limit_exceeded",
        "Rate limit reached for requests. Please try again in 2s.",
        {"retry-after": "2"},
    ),
    "error": Refusal(500, "server_error", "The server had an error: internal server error."),
}


@dataclass(slots=True)
class Provider:
    """Its address, and what it was asked; each name of a scenario is a path of its own."""

    address: str
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)  # that came with the questions
    ended: threading.Event = field(default_factory=threading.Event)

    def url(self, scenario: str = "edit") -> str:
        """The base URL, without /v1, of one that behaves like this."""
        return f"{self.address}/{scenario}"


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider that serves until the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    found = Provider(f"http://127.0.0.1:{server.server_address[1]}")
    server.provider = found  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        found.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._reply({})

    def do_GET(self) -> None:
        if self.headers["upgrade"]:  # to a socket, which codex tries first
            self._reply({"error": {"message": "no sockets here"}}, 404)
            return
        model = {"id": "stub", "object": "model", "created": 1, "owned_by": "stub"}
        self._reply({"object": "list", "data": [model], "models": [{"name": "models/stub"}]})

    def do_POST(self) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]
        body = json.loads(self._read() or b"{}")
        path = self.path.partition("?")[0]
        protocol = next((each for each in PROTOCOLS if path.endswith(each.ends)), None)
        if protocol is None:
            self._reply({"input_tokens": 1000, "totalTokens": 1000})
            return
        provider.asked.append(body)
        names = ("authorization", "x-api-key", "x-goog-api-key", "api-key")
        provider.keys.append(next((self.headers[each] for each in names if self.headers[each]), ""))
        scenario = path.strip("/").partition("/")[0]
        if scenario == HANG:
            provider.ended.wait(600)
        elif refusal := REFUSALS.get(scenario):
            told = protocol.refuse(refusal.status, refusal.code, refusal.words)
            self._reply(told.body, told.status, refusal.headers)
        else:
            self._answer(protocol, body, path)

    def _answer(self, protocol: Protocol, body: Mapping[str, Any], path: str) -> None:
        step = take_step(protocol.read(body))
        if not body.get("stream") and "stream" not in path.rpartition("/")[2]:
            self._reply(protocol.answer(body, step))
            return
        text = "".join(map(protocol.write_event, protocol.stream(body, step)))
        self._send(f"{text}{protocol.last_line}", "text/event-stream", 200, {})

    def _read(self) -> bytes:
        if length := self.headers["content-length"]:
            content = self.rfile.read(int(length))
        else:
            content = b"".join(self._read_chunks())
        return gzip.decompress(content) if self.headers["content-encoding"] == "gzip" else content

    def _read_chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().strip() or b"0", 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _reply(
        self, body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self._send(json.dumps(body), "application/json", status, headers or {})

    def _send(self, body: str, kind: str, status: int, headers: Mapping[str, str]) -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
