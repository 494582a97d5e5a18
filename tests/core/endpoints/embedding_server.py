"""An OpenAI-compatible endpoint for embeddings on the loopback, which tells what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Stub:
    """What it will answer, and what it was asked."""

    url: str = ""
    length: int = 100  # numbers of an embedding
    refusals: list[int] = field(default_factory=list)  # statuses to answer with first
    body: Any = None  # an answer of another form
    bodies: list[Any] = field(default_factory=list)  # such answers to begin with
    asked: list[str] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    goes_on: threading.Event = field(default_factory=threading.Event)  # cleared: no answer

    def answer(self, texts: list[str]) -> Any:
        if self.bodies:
            return self.bodies.pop(0)
        if self.body is not None:
            return self.body
        rows = [
            {"object": "embedding", "index": number, "embedding": embedding(text, self.length)}
            for number, text in enumerate(texts)
        ]
        rows.reverse()  # the order is told by the index alone
        usage = {"prompt_tokens": sum(map(len, texts)), "total_tokens": sum(map(len, texts))}
        return {"object": "list", "model": "stub", "data": rows, "usage": usage}


def embedding(text: str, length: int) -> list[float]:
    """How often each letter stands in the text: what is alike is near."""
    return [1.0 + sum(ord(char) % length == place for char in text) for place in range(length)]


@contextmanager
def serving() -> Iterator[Stub]:
    """The endpoint, while it is wanted."""
    stub = Stub()
    stub.goes_on.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            stub.goes_on.wait(30)
            stub.keys.append(self.headers["Authorization"])
            status = stub.refusals.pop(0) if stub.refusals else 200
            if status == 200:
                assert self.path == "/v1/embeddings"
                assert question["encoding_format"] == "float"
                stub.asked += question["input"]
                answer = stub.answer(question["input"])
            else:
                answer = {"error": {"message": "not now", "code": None}}
            content = json.dumps(answer).encode()
            with suppress(ConnectionError):  # whoever asked may have gone
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stub
    finally:
        stub.goes_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
