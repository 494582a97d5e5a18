"""A git server by HTTP, as a forge is one: git's own, behind a password that may change."""

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

USER = "worker"


@dataclass
class GitServer:
    """The repositories below a folder, for whoever has the token."""

    port: int
    token: str
    requests: list[tuple[str, int]] = field(default_factory=list)  # path and status
    holds: threading.Event = field(default_factory=threading.Event)  # while set, nothing is pushed

    def url(self, name: str, token: str | None = None) -> str:
        """Where a repository is, with its token or another."""
        return f"http://{USER}:{token or self.token}@127.0.0.1:{self.port}/{name}"

    def allows(self, header: str) -> bool:
        """Whether a request has the password."""
        wanted = base64.b64encode(f"{USER}:{self.token}".encode()).decode()
        return header == f"Basic {wanted}"


@contextmanager
def git_http_server(folder: Path, token: str) -> Iterator[GitServer]:
    """Serve the folder on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            content = self._read_content()
            if not found.allows(self.headers.get("authorization", "")):
                found.requests.append((self.path, 401))
                self.send_response(401)
                self.send_header("www-authenticate", 'Basic realm="git"')
                self.send_header("content-length", "0")
                self.end_headers()
                return
            while found.holds.is_set() and "receive-pack" in self.path:
                if closing.wait(0.02):
                    return
            self._answer(self._ask_git(content))

        def _read_content(self) -> bytes:
            if self.headers.get("transfer-encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("content-length") or 0))
            pieces = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)

        def _ask_git(self, content: bytes) -> bytes:
            parts = urlsplit(self.path)
            environment = {
                "PATH": os.environ["PATH"],
                "HOME": os.environ["HOME"],
                "GIT_PROJECT_ROOT": str(folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REMOTE_USER": USER,
                "REQUEST_METHOD": self.command,
                "PATH_INFO": parts.path,
                "QUERY_STRING": parts.query,
                "CONTENT_TYPE": self.headers.get("content-type", ""),
                "CONTENT_LENGTH": str(len(content)),
                "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
                "HTTP_GIT_PROTOCOL": self.headers.get("git-protocol", ""),
            }
            return subprocess.run(
                ["git", "http-backend"],
                input=content,
                env=environment,
                stdout=subprocess.PIPE,
                check=True,
            ).stdout

        def _answer(self, answer: bytes) -> None:
            head, _, body = answer.partition(b"\r\n\r\n")
            lines = [line.partition(": ") for line in head.decode().splitlines()]
            headers = {name.lower(): value for name, _, value in lines}
            status = int(headers.pop("status", "200").split()[0])
            found.requests.append((self.path, status))
            with suppress(ConnectionError):  # of a client that was killed
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

    closing = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = GitServer(server.server_address[1], token)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
