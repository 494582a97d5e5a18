"""A model that answers at once: it draws one of 32 constants anew; ``python model.py FOLDER``."""

import json
import random
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONSTANT = re.compile(r"^(C\d\d) = (\d+\.\d{4})$", re.MULTILINE)


class Handler(BaseHTTPRequestHandler):
    """Chat completions, not streamed in parts: the whole answer is one chunk."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """List the only model."""
        self._answer("application/json", json.dumps({"data": [{"id": "stub", "object": "model"}]}))

    def do_POST(self) -> None:
        """Answer with one edit of what the prompt shows."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = json.loads(body)
        found = CONSTANT.findall("\n".join(str(each["content"]) for each in request["messages"]))
        name, value = random.choice(found[:32])
        text = (
            f"Change {name}\n\nconstants.py\n<<<<<<< SEARCH\n{name} = {value}\n=======\n"
            f"{name} = {random.random():.4f}\n>>>>>>> REPLACE\n"
        )
        usage = {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050}
        about = {"id": "c", "created": 1, "model": request["model"]}
        said = {"role": "assistant", "content": text}
        if not request.get("stream"):
            choice = {"index": 0, "finish_reason": "stop", "message": said}
            whole = about | {"object": "chat.completion", "choices": [choice], "usage": usage}
            self._answer("application/json", json.dumps(whole))
            return
        choice = {"index": 0, "finish_reason": "stop", "delta": said}
        chunk = about | {"object": "chat.completion.chunk", "choices": [choice], "usage": usage}
        self._answer("text/event-stream", f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n")

    def _answer(self, kind: str, text: str) -> None:
        content = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main() -> None:
    """Serve on a free port of loopback, which is written to ``port`` in the folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    path = Path(sys.argv[1])
    (path / "fresh").write_text(str(server.server_address[1]))
    (path / "fresh").replace(path / "port")
    server.serve_forever()


if __name__ == "__main__":
    main()
