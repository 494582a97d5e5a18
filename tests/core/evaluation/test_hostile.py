"""Candidates that try what they must not, and what is left of any."""

import os
import socket
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loreley.errors import TimeLimitReached
from loreley.host.deadline import Deadline
from tests.core.evaluation.bench import ANSWER, Bench
from tests.support import eventually


@pytest.fixture
def secret_descriptor() -> Iterator[int]:
    """One that is marked as inheritable, as a careless library may leave it."""
    with tempfile.TemporaryFile() as file:
        file.write(b"secret")
        file.flush()
        descriptor = os.dup2(file.fileno(), 77)
        yield descriptor
        os.close(descriptor)


class TestHostile:
    """What a candidate tries when the evaluator runs it."""

    def tried(self, bench: Bench, body: str, **options: object) -> str:
        """What the body's ``tried()`` returned, or the error it met."""
        code = f"""
def tried(context):
{textwrap.indent(textwrap.dedent(body), "    ")}
def judge(context):
    try:
        said = str(tried(context))
    except OSError as error:
        said = repr(error)
    return {{"summary": said, "metrics": [{{"name": "a", "value": 1}}]}}
"""
        return bench.judge(bench.plugin(code, **options)).evaluation.summary

    def test_the_environment_is_what_was_allowed(
        self, any_bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("TASKS_REDIS_PASSWORD", "OPENAI_API_KEY", "GRANTED", "LC_TIME"):
            monkeypatch.setenv(name, f"value of {name}")

        said = self.tried(any_bench, "import os\nreturn dict(os.environ)", environment=("GRANTED",))

        assert "value of GRANTED" in said
        assert "value of LC_TIME" in said
        assert "PASSWORD" not in said
        assert "OPENAI" not in said
        assert f"'HOME': '{any_bench.scratch}/home'" in said

    def test_the_worker_s_environment_is_out_of_reach(
        self, walled: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said = self.tried(walled, f"return open('/proc/{os.getpid()}/environ').read()")

        assert "FileNotFoundError" in said

    @pytest.mark.parametrize("name", [".ssh/id_ed25519", ".env", ".loreley/loreley.db"])
    def test_files_of_the_worker_s_are_out_of_reach(self, walled: Bench, name: str) -> None:
        secret = Path.home() / name
        secret.parent.mkdir(exist_ok=True)
        secret.write_text("secret")

        assert "FileNotFoundError" in self.tried(walled, f"return open({str(secret)!r}).read()")

    def test_the_queue_s_socket_is_out_of_reach(self, walled: Bench) -> None:
        with tempfile.TemporaryDirectory() as state, socket.socket(socket.AF_UNIX) as server:
            server.bind(f"{state}/r.sock")
            server.listen()
            connect = f"socket.socket(socket.AF_UNIX).connect('{state}/r.sock')"
            options = {"hidden": (Path(state),), "readable": (Path(state).parent,)}

            said = self.tried(walled, f"import socket\nreturn {connect}", **options)

        assert "FileNotFoundError" in said

    def test_a_service_on_this_host_is_out_of_reach_unless_granted(self, walled: Bench) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            body = f"import socket\nreturn socket.create_connection(('127.0.0.1', {port}), 5)"

            assert "Error" in self.tried(walled, body)
            assert "<socket.socket" in self.tried(walled, body, network=True)

    def test_the_worktree_s_git_file_cannot_be_replaced(self, walled: Bench) -> None:
        body = """
        import os, shutil
        shutil.rmtree(context.worktree, ignore_errors=True)
        os.unlink(context.worktree / ".git")
        """

        assert "OSError" in self.tried(walled, body)
        assert (walled.worktree / ".git").read_text() == "gitdir: /elsewhere"

    def test_a_worktree_that_deletes_itself_is_judged_all_the_same(self, any_bench: Bench) -> None:
        said = self.tried(
            any_bench, "import shutil\nshutil.rmtree(context.worktree, ignore_errors=True)"
        )

        assert said == "None"

    def test_a_daemon_does_not_survive(self, walled: Bench) -> None:
        body = """
        import os, time
        for _ in range(2):
            if os.fork():
                if _:
                    os._exit(0)
                while not os.path.exists("alive"):
                    time.sleep(0.01)
                return "started"
            os.setsid()
        open("alive", "w").close()
        while True:
            os.utime("alive")
            time.sleep(0.01)
        """

        assert self.tried(walled, body) == "started"

        alive = walled.scratch / "alive"
        eventually(lambda: time.time() - alive.stat().st_mtime > 0.3)

    def test_descriptors_of_the_worker_s_are_not_inherited(
        self, any_bench: Bench, secret_descriptor: int
    ) -> None:
        said = self.tried(any_bench, f"import os\nreturn os.read({secret_descriptor}, 100)")

        assert "Bad file descriptor" in said


def test_nothing_is_left_in_this_process(bench: Bench) -> None:
    def counts() -> tuple[int, int]:
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
        return descriptors, threading.active_count()

    def judge_and_fail() -> None:
        bench.judge(bench.plugin(f"return {ANSWER}"))
        bench.failure(bench.plugin("raise ValueError"))
        with pytest.raises(TimeLimitReached):
            bench.judge(bench.plugin("import time; time.sleep(9)"), Deadline.after(0.1))

    judge_and_fail()
    before = counts()
    judge_and_fail()

    assert counts() == before
