"""Real children, some of them badly behaved."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from loreley.errors import CommandFailed, JobInterrupted, TimeLimitReached
from loreley.host import children
from loreley.host.deadline import Deadline, Stop
from tests.support import eventually

ENVIRONMENT = {"PATH": os.environ["PATH"]}

# Leaves the session twice over, keeps its output open and says who it is.
DAEMON = """
import os, sys, time
for _ in range(2):
    if os.fork():
        os._exit(0)
    os.setsid()
with open(sys.argv[1] + ".new", "w") as file:
    file.write(str(os.getpid()))
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(600)
"""


def daemon_argv(pid_file: Path, then: str) -> list[str]:
    """A command that starts the daemon, waits until it is one, and goes on with ``then``."""
    script = f'"$@" & while [ ! -e "$0" ]; do sleep 0.01; done; {then}'
    return ["sh", "-c", script, str(pid_file), *python(DAEMON, pid_file)]


@pytest.fixture
def output() -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as file:
        yield file


def python(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-S", "-c", code, *map(str, arguments)]


def is_alive(pid: int) -> bool:
    """Whether the process can still do something; a zombie cannot."""
    try:
        _, _, after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return not after_name.startswith("Z")


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def ask_soon(stop: Stop, ready: Path) -> tuple[threading.Thread, list[float]]:
    """Ask for a stop as soon as ``ready`` exists; the list gets the moment of it."""
    asked: list[float] = []

    def ask() -> None:
        eventually(ready.exists, every=0.002)
        asked.append(time.monotonic())
        stop.ask(JobInterrupted("asked to stop"))

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, asked


def test_capture_returns_both_streams_and_the_exit_code() -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"

    completed = children.capture(python(code), env=ENVIRONMENT, deadline=Deadline())

    assert (completed.exit_code, completed.stdout, completed.stderr) == (7, b"out\n", b"err\n")


def test_capture_hands_over_stdin_of_any_size(tmp_path: Path) -> None:
    content = os.urandom(1 << 20)

    completed = children.capture(
        ["cat"], env=ENVIRONMENT, deadline=Deadline(), stdin=content, cwd=tmp_path
    )

    assert completed.stdout == content


def test_a_child_without_stdin_reads_nothing() -> None:
    completed = children.capture(["cat"], env=ENVIRONMENT, deadline=Deadline.after(10))

    assert completed.stdout == b""


@pytest.mark.parametrize("argv", [["/nonexistent/program"], ["echo", "a\0b"], ["/dev/null"]])
def test_what_cannot_be_started_is_a_failed_command(argv: list[str]) -> None:
    with pytest.raises(CommandFailed, match="cannot start"):
        children.capture(argv, env=ENVIRONMENT, deadline=Deadline())


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="gone"):
        children.capture(["true"], env=ENVIRONMENT, deadline=Deadline(), cwd=tmp_path / "gone")


def test_capture_gives_up_on_endless_output() -> None:
    descriptors = open_descriptors()

    with pytest.raises(CommandFailed, match="more than 64 MiB"):
        children.capture(["yes"], env=ENVIRONMENT, deadline=Deadline.after(60))

    assert open_descriptors() == descriptors


def test_capture_ends_at_its_deadline() -> None:
    began = time.monotonic()

    with pytest.raises(TimeLimitReached, match="sleep"):
        children.capture(["sleep", "600"], env=ENVIRONMENT, deadline=Deadline.after(0.2))

    assert time.monotonic() - began < 2


def test_capture_is_not_held_up_by_a_daemon_that_keeps_the_output_open(tmp_path: Path) -> None:
    began = time.monotonic()

    children.capture(
        daemon_argv(tmp_path / "pid", "exit 0"), env=ENVIRONMENT, deadline=Deadline.after(60)
    )

    assert time.monotonic() - began < 10
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_children_may_keep_byte_code() -> None:
    environment = {**ENVIRONMENT, "PYTHONDONTWRITEBYTECODE": "1"}

    completed = children.capture(["env"], env=environment, deadline=Deadline())

    assert b"PYTHONDONTWRITEBYTECODE" not in completed.stdout


def test_run_notices_the_end_at_once(output: IO[bytes]) -> None:
    outcomes = [
        children.run(["true"], env=ENVIRONMENT, deadline=Deadline.after(60), output=output)
        for _ in range(10)
    ]

    assert all(outcome.succeeded for outcome in outcomes)
    # The best of them, as the machine may be busy: below one slice, so without a second look.
    assert min(outcome.seconds for outcome in outcomes) < 0.03
    assert str(outcomes[0]) == "exit code 0"


def test_run_collects_both_streams_in_one_file(output: IO[bytes]) -> None:
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr)"

    children.run(python(code), env=ENVIRONMENT, deadline=Deadline(), output=output)

    output.seek(0)
    assert output.read() == b"out\nerr\n"


def test_run_keeps_the_streams_apart_on_request(output: IO[bytes]) -> None:
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr)"

    with tempfile.TemporaryFile() as errors:
        children.run(
            python(code), env=ENVIRONMENT, deadline=Deadline(), output=output, errors=errors
        )
        errors.seek(0)
        assert errors.read() == b"err\n"


def test_run_tells_which_signal_ended_the_child(output: IO[bytes]) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"

    outcome = children.run(python(code), env=ENVIRONMENT, deadline=Deadline(), output=output)

    assert (outcome.ending, outcome.exit_code) == (children.Ending.EXITED, -signal.SIGSEGV)
    assert str(outcome) == "ended by SIGSEGV"


def test_a_signal_reported_by_a_shell_is_named_too(output: IO[bytes]) -> None:
    outcome = children.run(["sh", "-c", "exit 137"], env={}, deadline=Deadline(), output=output)

    assert str(outcome) == "ended by SIGKILL"


def test_run_kills_the_child_at_its_deadline(output: IO[bytes]) -> None:
    outcome = children.run(
        ["sleep", "600"], env=ENVIRONMENT, deadline=Deadline.after(0.2), output=output
    )

    assert outcome.ending is children.Ending.OVERDUE
    assert not outcome.succeeded
    assert 0.2 <= outcome.seconds < 2


def test_run_stops_within_a_tenth_of_a_second_of_being_asked(
    output: IO[bytes], tmp_path: Path
) -> None:
    def seconds_to_stop(ready: Path) -> float:
        stop = Stop()
        thread, asked = ask_soon(stop, ready)
        with pytest.raises(JobInterrupted):
            children.run(
                ["sh", "-c", 'touch "$1"; sleep 600', "sh", str(ready)],
                env=ENVIRONMENT,
                deadline=Deadline.after(60, stop),
                output=output,
            )
        stopped = time.monotonic()
        thread.join()
        return stopped - asked[0]

    # The best of them, as the machine may be busy.
    assert min(seconds_to_stop(tmp_path / name) for name in "abc") <= 0.1


def test_run_kills_a_child_that_prints_nothing(output: IO[bytes]) -> None:
    outcome = children.run(
        ["sleep", "600"],
        env=ENVIRONMENT,
        deadline=Deadline.after(60),
        output=output,
        idle_seconds=0.2,
    )

    assert outcome.ending is children.Ending.SILENT


@pytest.mark.slow
def test_run_lets_a_child_go_on_that_keeps_printing(output: IO[bytes]) -> None:
    script = "for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do echo .; sleep 0.1; done"

    outcome = children.run(
        ["sh", "-c", script],
        env=ENVIRONMENT,
        deadline=Deadline.after(60),
        output=output,
        idle_seconds=1.0,
    )

    assert outcome.succeeded
    assert outcome.seconds > 1.0


@pytest.mark.parametrize("end", ["exit 0", "sleep 600"])
def test_run_kills_the_whole_group(output: IO[bytes], tmp_path: Path, end: str) -> None:
    script = f'sleep 600 & echo $! > "$1"; {end}'

    children.run(
        ["sh", "-c", script, "sh", str(tmp_path / "pid")],
        env=ENVIRONMENT,
        deadline=Deadline.after(0.3),
        output=output,
    )

    pid = int((tmp_path / "pid").read_text())
    eventually(lambda: not is_alive(pid))


def test_nothing_is_left_open(output: IO[bytes]) -> None:
    def some() -> None:
        children.run(["true"], env=ENVIRONMENT, deadline=Deadline(), output=output, stdin=b"x")
        children.capture(["true"], env=ENVIRONMENT, deadline=Deadline(), stdin=b"x")
        with pytest.raises(TimeLimitReached):
            children.capture(["sleep", "9"], env=ENVIRONMENT, deadline=Deadline.after(0.01))

    some()
    descriptors = open_descriptors()
    for _ in range(5):
        some()

    assert open_descriptors() == descriptors


def test_children_inherit_no_descriptor_of_another_child(tmp_path: Path) -> None:
    """Starts from several threads at once would otherwise keep each other's files open."""
    seen: list[bytes] = []

    def look() -> None:
        for _ in range(10):
            listing = children.capture(
                ["ls", "/proc/self/fd"], env=ENVIRONMENT, deadline=Deadline.after(60), stdin=b"x"
            )
            seen.append(listing.stdout)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(seen) == {b"0\n1\n2\n3\n"}  # 3 is the folder that ls reads


# Adopting changes the whole process, so these run in one of their own.
ADOPTING = """
import os, subprocess, sys, tempfile, time
from contextlib import ExitStack
from pathlib import Path
from loreley.host import children
from loreley.host.deadline import Deadline

stack = ExitStack()
assert stack.enter_context(children.become_subreaper())
pid_file, *argv = sys.argv[1:]
env = {"PATH": os.environ["PATH"]}
ours = subprocess.Popen(["sleep", "600"])
with tempfile.TemporaryFile() as output:
    outcome = children.run(argv, env=env, deadline=Deadline.after(1), output=output)
pid = int(Path(pid_file).read_text())
print(outcome.ending, "daemon", Path(f"/proc/{pid}").exists(), "ours", ours.poll())
ours.kill()
ours.wait()
print("children", *(p.read_text() for p in Path("/proc/self/task").glob("*/children")))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt orphans")
@pytest.mark.parametrize(("end", "ending"), [("exit 0", "exited"), ("sleep 600", "overdue")])
def test_a_daemon_that_left_its_session_twice_does_not_survive(
    tmp_path: Path, end: str, ending: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ADOPTING, tmp_path / "pid", *daemon_argv(tmp_path / "pid", end)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout == f"{ending} daemon False ours None\nchildren \n", done.stderr
