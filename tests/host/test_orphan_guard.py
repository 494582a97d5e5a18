"""Children of a process that is killed (row 32)."""

import os
import signal
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from loreley.host import children
from loreley.host.deadline import Deadline
from tests.figures import Figure
from tests.host.test_children import is_alive
from tests.support import eventually, python_process

# git waits for a helper, as for git-remote-https, and that one for a hook: a tree of three.
TREE = """
import os, sys
from loreley.host import children
from loreley.host.deadline import Deadline
folder = sys.argv[1]
script = 'echo $$ > "$0/child"; sh -c \\'echo $$ > "$0/below"; sleep 600; :\\' "$0"; :'
with children.become_subreaper(), children.guard_children():
    children.capture(["true"], env={"PATH": os.environ["PATH"]}, deadline=Deadline())
    children.capture(
        ["sh", "-c", script, folder], env={"PATH": os.environ["PATH"]}, deadline=Deadline()
    )
"""


def read_pid(path: Path) -> int:
    eventually(lambda: path.exists() and path.read_text().strip())
    return int(path.read_text())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_all_that_a_killed_process_ran_dies_with_it(number: signal.Signals, tmp_path: Path) -> None:
    with python_process(TREE, tmp_path) as process:
        pids = [read_pid(tmp_path / name) for name in ("child", "below")]
        assert all(map(is_alive, pids))

        process.send_signal(number)
        process.wait(timeout=10)

        eventually(lambda: not any(map(is_alive, pids)), within=20)


def test_the_guard_ends_with_its_block_and_kills_nothing_that_has_ended() -> None:
    before = set(children_of(os.getpid()))
    with children.guard_children():
        [guard] = set(children_of(os.getpid())) - before
        for _ in range(3):
            children.capture(["true"], env={"PATH": os.environ["PATH"]}, deadline=Deadline())
        assert is_alive(guard)

    assert not is_alive(guard)


def test_a_guard_that_is_killed_or_stopped_holds_up_nobody() -> None:
    for number in (signal.SIGSTOP, signal.SIGKILL):
        before = set(children_of(os.getpid()))
        with children.guard_children():
            [guard] = set(children_of(os.getpid())) - before
            os.kill(guard, number)
            done = children.capture(
                ["echo", "x"], env={"PATH": os.environ["PATH"]}, deadline=Deadline.after(10)
            )
            os.kill(guard, signal.SIGKILL)
        assert done.stdout == b"x\n"


@pytest.mark.slow
def test_a_guard_is_one_process_however_many_children_there_are(
    figure: Figure, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    start = subprocess.Popen.__init__

    def note(process: Any, argv: list[str], *rest: Any, **more: Any) -> None:
        started.append(argv[0])
        start(process, argv, *rest, **more)

    def median_seconds() -> float:
        taken = []
        for _ in range(200):
            began = time.perf_counter()
            children.capture(["true"], env={"PATH": os.environ["PATH"]}, deadline=Deadline())
            taken.append(time.perf_counter() - began)
        return statistics.median(taken)

    alone = median_seconds()
    monkeypatch.setattr(subprocess.Popen, "__init__", note)
    with children.guard_children():
        guarded = median_seconds()

    figure("a guard's cost to each child", f"{(guarded - alone) * 1e6:.0f} us")
    assert started == ["/bin/sh", *["true"] * 200]


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [child for child in map(int, text.split()) if is_alive(child)]
