"""A stand-in for the model behind real coding agents: it asks for one change, then is done."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DONE = "All done."
Event = Mapping[str, Any]


def _messages(request: Mapping[str, Any]) -> Sequence[Event]:
    """Anthropic's protocol: the tool Write, then words."""
    is_answered = "tool_result" in json.dumps(request["messages"])
    block: Event
    if is_answered or not request.get("tools"):
        block = {"type": "text", "text": ""}
        delta = {"type": "text_delta", "text": DONE}
    else:
        found = json.dumps(request).partition("Write this file: ")[2].partition(" ")[0]
        block = {"type": "tool_use", "id": "t1", "name": "Write", "input": {}}
        wanted = json.dumps({"file_path": found, "content": "written = True\n"})
        delta = {"type": "input_json_delta", "partial_json": wanted}
    reason = "end_turn" if block["type"] == "text" else "tool_use"
    message = {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1000, "output_tokens": 1},
    }
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": {"output_tokens": 50},
        },
        {"type": "message_stop"},
    ]


def _completion(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """OpenAI's older protocol: a file as aider wants it written."""
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": request["model"],
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {
                    "role": "assistant",
                    "content": f"written.py\n```\nwritten = True\n```\n\n{DONE}",
                },
            }
        ],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050},
    }


@contextmanager
def model_server() -> Iterator[str]:
    """The address of such a server on loopback, without a path."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

        def do_GET(self) -> None:
            self._send(json.dumps({"object": "list", "data": []}), "application/json")

        def do_HEAD(self) -> None:
            self._send("", "application/json")

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            path = self.path.partition("?")[0]
            if path.endswith("/messages"):
                stream = "".join(
                    f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
                    for event in _messages(request)
                )
                self._send(stream, "text/event-stream")
            elif path.endswith("/chat/completions"):
                self._send(json.dumps(_completion(request)), "application/json")
            else:
                self._send("{}", "application/json")

        def _send(self, body: str, kind: str) -> None:
            content = body.encode()
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
