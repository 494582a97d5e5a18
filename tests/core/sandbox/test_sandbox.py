"""What confined children can and cannot do, tried for real at every level this host offers."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loreley.core.sandbox.confinement import Confinement
from loreley.core.sandbox.sandbox import Sandbox
from loreley.host import children
from loreley.host.deadline import Deadline
from tests.core.sandbox.support import READ, python, run
from tests.support import PROJECT_ROOT, eventually

MEBIBYTE = 1024 * 1024


def test_the_exit_code_is_the_command_s(sandbox: Sandbox, confinement: Confinement) -> None:
    assert run(sandbox, confinement, ["sh", "-c", "exit 3"]).exit_code == 3


def test_arguments_arrive_as_they_are(sandbox: Sandbox, confinement: Confinement) -> None:
    arguments = ["a b", "$HOME", "'\"", "", "--unshare-all", "*"]

    completed = run(sandbox, confinement, ["printf", "%s\\n", *arguments])

    assert completed.stdout.decode().splitlines() == arguments


def test_a_signal_can_be_told_from_the_exit_code(
    sandbox: Sandbox, confinement: Confinement
) -> None:
    crash = [sys.executable, "-c", "import ctypes; ctypes.string_at(0)"]
    with tempfile.TemporaryFile() as output:
        outcome = children.run(
            sandbox.command(crash, confinement),
            env={"PATH": os.environ["PATH"]},
            cwd=confinement.cwd,
            deadline=Deadline.after(30),
            output=output,
        )

    assert str(outcome) == "ended by SIGSEGV"


def test_the_scratch_folder_is_the_current_one_and_writable(
    sandbox: Sandbox, confinement: Confinement
) -> None:
    python(sandbox, confinement, "open('new', 'w').write('content')")

    assert (confinement.cwd / "new").read_text() == "content"


@pytest.mark.slow
def test_memory_is_limited(sandbox: Sandbox, confinement: Confinement) -> None:
    limited = replace(confinement, memory_bytes=256 * MEBIBYTE)

    assert python(sandbox, limited, "bytearray(512 << 20)") == "MemoryError"
    assert python(sandbox, confinement, "bytearray(512 << 20)") == ""


def test_the_size_of_files_is_limited(sandbox: Sandbox, confinement: Confinement) -> None:
    limited = replace(confinement, file_size_bytes=MEBIBYTE)

    said = python(sandbox, limited, "open('large', 'wb').write(bytes(2 << 20))")

    assert "File too large" in said
    assert (confinement.cwd / "large").stat().st_size == MEBIBYTE


def test_no_core_is_dumped(sandbox: Sandbox, confinement: Confinement) -> None:
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"

    assert python(sandbox, confinement, code) == "(0, 0)"


def test_there_are_no_capabilities_left(sandbox: Sandbox, confinement: Confinement) -> None:
    status = python(sandbox, confinement, READ, "/proc/self/status")

    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status


def test_the_worker_s_environment_cannot_be_read(
    isolated: Sandbox, confinement: Confinement
) -> None:
    code = """
import glob
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        print(open(path, "rb").read())
    except OSError:
        pass
"""
    victim = subprocess.Popen(["sleep", "60"], env={"PASSWORD": "hunter2", **os.environ})
    try:
        assert "hunter2" not in python(isolated, confinement, code)
        assert "No such file" in python(isolated, confinement, READ, f"/proc/{victim.pid}/environ")
    finally:
        victim.kill()
        victim.wait()


CONNECT = """
import socket, sys
socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5)
print("connected")
"""


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_network_is_out_of_reach(
    isolated: Sandbox, confinement: Confinement, port: int
) -> None:
    assert "Error" in python(isolated, confinement, CONNECT, port)


def test_the_network_can_be_granted(sandbox: Sandbox, confinement: Confinement, port: int) -> None:
    granted = replace(confinement, network=True)

    assert python(sandbox, granted, CONNECT, port) == "connected"


DAEMON = """
import os, sys, time
for _ in range(2):
    if os.fork():
        while not os.path.exists(sys.argv[1]):
            time.sleep(0.01)
        os._exit(0)
    os.setsid()
open(sys.argv[1], "w").close()
while True:
    os.utime(sys.argv[1])
    time.sleep(0.01)
"""


def test_a_daemon_ends_with_its_sandbox(isolated: Sandbox, confinement: Confinement) -> None:
    python(isolated, confinement, DAEMON, "alive")

    alive = confinement.cwd / "alive"
    assert alive.exists()
    eventually(lambda: _is_still(alive))


def _is_still(file: Path) -> bool:
    """Whether nobody touched the file during a tenth of a second."""
    before = file.stat().st_mtime_ns
    try:
        eventually(lambda: file.stat().st_mtime_ns != before, within=0.1)
    except AssertionError:
        return True
    return False


WORKER = """
import os, sys, tempfile
from pathlib import Path
from loreley.host import children
from loreley.core.sandbox.confinement import Confinement
from loreley.core.sandbox.sandbox import Level, Sandbox, probe
from loreley.host.deadline import Deadline

level, folder, code = sys.argv[1:]
scratch = Path(folder)
sandbox = Sandbox(Level(level), probe().tools)
argv = sandbox.command([sys.executable, "-c", code, "alive"], Confinement(scratch, (scratch,)))
with tempfile.TemporaryFile() as output:
    env = {"PATH": os.environ["PATH"]}
    children.run(argv, env=env, cwd=scratch, deadline=Deadline(), output=output)
"""
BEAT = DAEMON.replace("if os.fork():", "if False:").replace("os.setsid()", "pass")


@pytest.mark.slow
def test_children_die_with_the_worker(sandbox: Sandbox, confinement: Confinement) -> None:
    if sandbox.tools.setpriv is None:
        pytest.skip("setpriv is missing")
    alive = confinement.cwd / "alive"
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, sandbox.level, confinement.cwd, BEAT], cwd=PROJECT_ROOT
    )
    try:
        eventually(alive.exists)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()

    eventually(lambda: _is_still(alive))
