"""A stand-in for an OpenAI-compatible endpoint on loopback, which answers as it is told to."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE: Mapping[str, Any] = {
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "total_tokens": 1050,
    "prompt_tokens_details": {"cached_tokens": 100},
}


@dataclass(frozen=True)
class Response:
    """One answer of the endpoint."""

    body: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    promised_bytes: int = 0  # more than are sent before the connection is cut
    waits: bool = False  # answers only when the server is closed
    pieces: Sequence[str] = ()  # of a streamed answer, in place of the body
    stalls: bool = False  # after the pieces, until the server is closed


def says(
    text: str | None, *, finish: str = "stop", usage: Mapping[str, Any] | None = USAGE
) -> Response:
    """A completion with this text."""
    choice = {
        "index": 0,
        "finish_reason": finish,
        "message": {"role": "assistant", "content": text},
    }
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "stub"}
    return Response(body | {"choices": [choice], "usage": usage})


def streams(
    *texts: str, finish: str | None = "stop", usage: object = USAGE, stalls: bool = False
) -> Response:
    """A completion in pieces, each of one text, then the usage and the mark of the end."""
    deltas: list[dict[str, Any]] = [{"delta": {"content": text}} for text in texts]
    ends = [{"delta": {}, "finish_reason": finish}] if finish else []
    events: list[dict[str, Any]] = [{"choices": [choice]} for choice in [*deltas, *ends]]
    if finish:
        events.append({"choices": [], "usage": usage})
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    return Response("", pieces=[*lines, *(["data: [DONE]\n\n"] if finish else [])], stalls=stalls)


def calls(*called: tuple[str, object], text: str = "", **more: object) -> Response:
    """A completion that calls tools, each by its name with its arguments."""
    told = [
        {
            "id": f"id{number}",
            "type": "function",
            "function": {
                "name": name,
                "arguments": given if isinstance(given, str) else json.dumps(given),
            },
        }
        for number, (name, given) in enumerate(called)
    ]
    message = {"role": "assistant", "content": text, "tool_calls": told, **more}
    choice = {"index": 0, "finish_reason": "tool_calls", "message": message}
    return Response({"choices": [choice], "usage": USAGE})


def refuses(status: int, message: str, code: str | None = None, **headers: str) -> Response:
    """An error as OpenAI words it; the client is told not to wait before it asks again."""
    return Response(
        {"error": {"message": message, "code": code}}, status, {"retry-after-ms": "1"} | headers
    )


@dataclass
class ChatServer:
    """What was asked, and what is answered: each response once, the last one for ever."""

    url: str
    responses: Sequence[Response] = ()
    model: Callable[[dict[str, Any]], Response] | None = None  # answers in place of the responses
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    models: Response | None = None  # what it lists; None: it knows no such question
    listed: list[str] = field(default_factory=list)  # paths that the list was asked for at
    closing: threading.Event = field(default_factory=threading.Event)

    def next(self) -> Response:
        """The response to the latest request."""
        if self.model is not None:
            return self.model(self.requests[-1])
        return self.responses[min(len(self.requests), len(self.responses)) - 1]

    def prompt(self, number: int = 0) -> str:
        """The last message of a request."""
        return str(self.requests[number]["messages"][-1]["content"])


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    """A server on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

        def do_GET(self) -> None:
            found.listed.append(self.path)
            found.keys.append(self.headers["authorization"] or "")
            if found.models is not None and found.models.waits:
                found.closing.wait(60)
            self._answer(found.models or refuses(404, "no such path"))

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            found.requests.append(json.loads(content) | {"path": self.path})
            found.keys.append(self.headers["authorization"] or "")
            response = found.next()
            if response.waits:
                found.closing.wait(60)
            if response.pieces:
                self._stream(response)
                return
            self._answer(response)

        def _answer(self, response: Response) -> None:
            body = response.body
            raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(response.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw) + response.promised_bytes))
            for name, value in response.headers.items():
                self.send_header(name, value)
            with suppress(ConnectionError):  # of a client that has not waited
                self.end_headers()
                self.wfile.write(raw)
            if response.promised_bytes:
                self.close_connection = True

        def _stream(self, response: Response) -> None:
            self.send_response(response.status)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.close_connection = True
            with suppress(ConnectionError):
                self.end_headers()
                for piece in response.pieces:
                    self.wfile.write(piece.encode())
                    self.wfile.flush()
                if response.stalls:
                    found.closing.wait(60)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = ChatServer(f"http://127.0.0.1:{server.server_address[1]}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        found.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
