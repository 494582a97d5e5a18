import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from loreley.ops.embedded.folder import is_answering
from tests.support import eventually

StartRedis = Callable[..., str]


@contextmanager
def _running(folder: Path, options: tuple[str, ...]) -> Iterator[str]:
    binary = shutil.which("redis-server")
    assert binary, "redis-server is a part of the test environment"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    command += ["--unixsocket", "r.sock", *options]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        eventually(lambda: is_answering(folder / "r.sock") or _needs_password(folder / "r.sock"))
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _needs_password(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"-NOAUTH")
    except OSError:
        return False


@pytest.fixture
def start_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartRedis]:
    """Starts Debian's server with command line options; gives its host:port on loopback."""
    with ExitStack() as servers:
        yield lambda *options: servers.enter_context(
            _running(tmp_path_factory.mktemp("redis"), options)
        )
