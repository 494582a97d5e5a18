"""What confined children can and cannot do, tried for real at every level this host offers."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loreley import proc
from loreley.core.worker.sandbox import (
    Confinement,
    Level,
    Sandbox,
    Tools,
    obstacle_to,
    probe,
    require,
    strongest,
)
from loreley.deadline import Deadline
from loreley.errors import ConfigError
from tests.support import PROJECT_ROOT, eventually

MEBIBYTE = 1024 * 1024


def at(level: Level) -> Sandbox:
    sandbox = Sandbox(level, probe().tools)
    if obstacle := obstacle_to(sandbox):
        pytest.skip(str(obstacle))
    return sandbox


@pytest.fixture(params=list(Level))
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    return at(request.param)


@pytest.fixture(params=[Level.BUBBLEWRAP, Level.NAMESPACES])
def isolated(request: pytest.FixtureRequest) -> Sandbox:
    return at(request.param)


@pytest.fixture
def bubblewrap() -> Sandbox:
    return at(Level.BUBBLEWRAP)


@pytest.fixture
def confinement(tmp_path: Path) -> Confinement:
    scratch = tmp_path.resolve() / "scratch"
    scratch.mkdir()
    return Confinement(cwd=scratch, writable=(scratch,))


def run(sandbox: Sandbox, confinement: Confinement, argv: list[str]) -> proc.Completed:
    return proc.capture(
        sandbox.command(argv, confinement),
        env={"PATH": os.environ["PATH"]},
        cwd=confinement.cwd,
        deadline=Deadline.after(30),
    )


def python(sandbox: Sandbox, confinement: Confinement, code: str, *arguments: object) -> str:
    """What the code printed, or the last line of its error."""
    argv = [sys.executable, "-I", "-c", code, *map(str, arguments)]
    completed = run(sandbox, confinement, argv)
    if completed.exit_code == 0:
        return completed.stdout.decode().strip()
    return completed.stderr.decode().strip().splitlines()[-1]


READ = "import sys; print(open(sys.argv[1]).read())"
WRITE = "import sys; open(sys.argv[1], 'w').write('changed')"


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
        outcome = proc.run(
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
from loreley import proc
from loreley.core.worker.sandbox import Confinement, Level, Sandbox, probe
from loreley.deadline import Deadline

level, folder, code = sys.argv[1:]
scratch = Path(folder)
sandbox = Sandbox(Level(level), probe().tools)
argv = sandbox.command([sys.executable, "-c", code, "alive"], Confinement(scratch, (scratch,)))
with tempfile.TemporaryFile() as output:
    env = {"PATH": os.environ["PATH"]}
    proc.run(argv, env=env, cwd=scratch, deadline=Deadline(), output=output)
"""
BEAT = DAEMON.replace("if os.fork():", "if False:").replace("os.setsid()", "pass")


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


class TestBubblewrap:
    """What only a view of its own can keep from a child."""

    def test_home_is_not_there(self, bubblewrap: Sandbox, confinement: Confinement) -> None:
        key = Path.home() / ".ssh" / "id_ed25519"
        key.parent.mkdir()
        key.write_text("secret")

        assert "No such file" in python(bubblewrap, confinement, READ, key)

    @pytest.mark.parametrize("path", ["/etc/shadow", "/etc/ssl/private", "/root", "/var", "/run"])
    def test_the_system_s_secrets_are_not_there(
        self, bubblewrap: Sandbox, confinement: Confinement, path: str
    ) -> None:
        code = "import os, sys; print(os.path.exists(sys.argv[1]) and os.listdir(sys.argv[1]))"

        # Only the folders on the way to the interpreter exist, and hold nothing else.
        assert python(bubblewrap, confinement, code, path) in {"False", "['.pyenv']", "['.local']"}

    def test_the_system_cannot_be_changed(
        self, bubblewrap: Sandbox, confinement: Confinement
    ) -> None:
        for path in ("/new", "/usr/new", "/etc/new", "/dev/new", f"{sys.prefix}/new"):
            assert "Error" in python(bubblewrap, confinement, WRITE, path)

    def test_the_kernel_s_switches_cannot_be_turned(
        self, bubblewrap: Sandbox, confinement: Confinement
    ) -> None:
        """As root they could be, without a capability: a core_pattern runs programs."""
        code = "import os; os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY)"

        assert "Error" in python(bubblewrap, confinement, code)

    def test_temporary_files_are_private(
        self, bubblewrap: Sandbox, confinement: Confinement
    ) -> None:
        code = "import tempfile; print(tempfile.NamedTemporaryFile(delete=False).name)"

        name = python(bubblewrap, confinement, code)

        assert name.startswith("/tmp/")
        assert not Path(name).exists()

    def test_a_readable_folder_is_read_only(
        self, bubblewrap: Sandbox, confinement: Confinement, tmp_path: Path
    ) -> None:
        folder = tmp_path / "data"
        folder.mkdir()
        (folder / "set").write_text("content")
        granted = replace(confinement, readable=(folder,))

        assert "No such file" in python(bubblewrap, confinement, READ, folder / "set")
        assert python(bubblewrap, granted, READ, folder / "set") == "content"
        assert "Read-only" in python(bubblewrap, granted, WRITE, folder / "set")

    def test_settings_are_not_readable_with_their_folder(
        self, bubblewrap: Sandbox, confinement: Confinement, tmp_path: Path
    ) -> None:
        (tmp_path / ".env").write_text("TASKS_REDIS_PASSWORD=secret")
        granted = replace(confinement, readable=(tmp_path,))

        assert "Permission" in python(bubblewrap, granted, READ, tmp_path / ".env")

    def test_what_is_hidden_stays_hidden_in_a_readable_folder(
        self, bubblewrap: Sandbox, confinement: Confinement, tmp_path: Path
    ) -> None:
        state = tmp_path / "state"
        state.mkdir()
        (state / "loreley.db").write_text("secret")
        (tmp_path / "other.db").write_text("secret")
        granted = replace(confinement, readable=(tmp_path,), hidden=(state, tmp_path / "other.db"))

        assert "No such file" in python(bubblewrap, granted, READ, state / "loreley.db")
        assert "Permission" in python(bubblewrap, granted, READ, tmp_path / "other.db")

    def test_a_worktree_inside_a_hidden_folder_is_usable(
        self, bubblewrap: Sandbox, confinement: Confinement, tmp_path: Path
    ) -> None:
        worktree = tmp_path / "worktrees" / "one"
        worktree.mkdir(parents=True)
        (worktree.parent / "two").mkdir()
        granted = replace(
            confinement,
            readable=(tmp_path,),
            hidden=(worktree.parent,),
            writable=(*confinement.writable, worktree),
        )
        code = "import os, sys; print(os.listdir(sys.argv[1]))"

        assert python(bubblewrap, granted, code, worktree.parent) == "['one']"
        assert python(bubblewrap, granted, WRITE, worktree / "new") == ""
        assert (worktree / "new").exists()

    def test_a_readable_folder_in_shared_memory_is_read_only(
        self, bubblewrap: Sandbox, confinement: Confinement
    ) -> None:
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            file = Path(folder, "set")
            file.write_text("content")
            granted = replace(confinement, readable=(Path(folder),))

            assert python(bubblewrap, granted, READ, file) == "content"
            assert "Read-only" in python(bubblewrap, granted, WRITE, file)

    def test_a_file_of_a_writable_folder_can_be_kept_from_change(
        self, bubblewrap: Sandbox, confinement: Confinement
    ) -> None:
        git = confinement.cwd / ".git"
        git.write_text("gitdir: elsewhere")
        granted = replace(confinement, readable=(git,))

        assert "Read-only" in python(bubblewrap, granted, WRITE, git)
        assert "Error" in python(bubblewrap, granted, "import os; os.rename('.git', 'x')")
        assert git.read_text() == "gitdir: elsewhere"

    @pytest.mark.parametrize("target", ["secret", "."])
    def test_a_link_planted_in_a_writable_folder_shows_nothing(
        self, bubblewrap: Sandbox, confinement: Confinement, tmp_path: Path, target: str
    ) -> None:
        (tmp_path / "secret").write_text("secret")
        (confinement.cwd / ".git").symlink_to(tmp_path / target)
        granted = replace(confinement, readable=(confinement.cwd / ".git",))
        code = "import os; print(os.path.islink('.git'), os.path.exists('.git/secret'))"

        assert python(bubblewrap, granted, READ, ".git").startswith(
            ("FileNotFoundError", "IsADirectoryError")
        )
        assert python(bubblewrap, granted, code) == "True False"

    def test_a_socket_of_another_folder_cannot_be_reached(
        self, bubblewrap: Sandbox, confinement: Confinement
    ) -> None:
        code = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
            server.bind(f"{folder}/r.sock")
            server.listen()

            assert "No such file" in python(bubblewrap, confinement, code, f"{folder}/r.sock")

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")
    def test_an_ordinary_user_is_confined_as_well(self) -> None:
        """With the system's Python, as this one may live where others cannot look."""
        python3 = shutil.which("python3", path="/usr/bin:/usr/local/bin")
        if python3 is None:
            pytest.skip("no python3 of the system's")
        code = "from loreley.core.worker.sandbox import probe; print(probe().describe())"

        done = subprocess.run(
            [
                *("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"),
                *(python3, "-c", code),
            ],
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT_ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        if "ModuleNotFoundError" in done.stderr or "SyntaxError" in done.stderr:
            pytest.skip("the system's Python cannot import Loreley")
        assert done.stdout.startswith("sandbox bubblewrap: "), done.stdout + done.stderr


def tools_with(tmp_path: Path, **programs: str) -> Tools:
    """Tools of which each runs the given shell script."""
    paths = {}
    for name, script in programs.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        paths[name] = str(path)
    return Tools("/bin/sh", paths.get("bwrap"), paths.get("unshare"))


def test_without_tools_there_are_limits_and_advice() -> None:
    sandbox = strongest(Tools(shell="/bin/sh"))

    assert sandbox.level is Level.LIMITS
    assert "apt install bubblewrap" in sandbox.describe()
    assert "\n" not in sandbox.describe()


def test_a_tool_that_is_present_but_forbidden_is_not_used(tmp_path: Path) -> None:
    tools = tools_with(
        tmp_path, bwrap="echo setting up uid map: Permission denied >&2; exit 1", unshare="exit 1"
    )

    sandbox = strongest(tools)

    assert sandbox.level is Level.LIMITS
    assert [obstacle.reason for obstacle in sandbox.obstacles] == [
        "setting up uid map: Permission denied",
        "exit 1",
    ]


def test_namespaces_stand_in_for_bubblewrap() -> None:
    at(Level.NAMESPACES)

    sandbox = strongest(replace(probe().tools, bwrap=None))

    assert sandbox.level is Level.NAMESPACES


ORDINARY_USER = 65534
FORKS = "i=0; while [ $i -lt 60 ]; do sleep 20 & i=$((i + 1)); done; echo all"


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize(("processes", "said"), [(30, ""), (0, "all\n")])
def test_processes_are_limited_for_an_ordinary_user(
    shell: str, processes: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = None
    if os.geteuid() == 0:  # whom Linux does not limit; bubblewrap would show root's own Python
        user = ORDINARY_USER
        monkeypatch.setattr(os, "geteuid", lambda: ORDINARY_USER)
    tools = replace(at(Level.NAMESPACES).tools, shell=f"/bin/{shell}")
    sandbox = Sandbox(Level.NAMESPACES, tools, processes=processes)
    command = sandbox.command(["/bin/dash", "-c", FORKS], Confinement(Path("/"), ()))

    done = subprocess.run(
        command, cwd="/", user=user, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout == said
    assert (said == "all\n") is (done.returncode == 0), done.stderr


def test_where_processes_cannot_be_counted_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox(Level.BUBBLEWRAP, probe().tools, processes=30)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "root may start any number of processes" in sandbox.describe()
    monkeypatch.setattr(os, "geteuid", lambda: ORDINARY_USER)
    assert "root" not in sandbox.describe()


@pytest.fixture
def _bare_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PATH", str(tmp_path))
    probe.cache_clear()
    yield
    probe.cache_clear()


@pytest.mark.usefixtures("_bare_host")
def test_a_required_level_that_is_missing_refuses_to_start() -> None:
    with pytest.raises(ConfigError) as caught:
        require("bubblewrap")

    [problem] = caught.value.problems
    assert problem.setting == "WORKER_SANDBOX=bubblewrap"
    assert problem.reason == "bwrap is not on PATH"
    assert "apt install bubblewrap" in problem.fix


@pytest.mark.usefixtures("_bare_host")
def test_auto_takes_what_there_is() -> None:
    assert require("auto").level is Level.LIMITS


def test_a_weaker_level_can_be_asked_for() -> None:
    assert require("limits").level is Level.LIMITS
