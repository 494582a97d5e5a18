"""Locks between processes and threads: who holds one, how long, and what becomes of its file."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from loreley.errors import JobInterrupted, TimeLimitReached
from loreley.host.deadline import Deadline, Stop
from loreley.host.locks import FileLock, hold_lock, is_locked, read_lock_text

_HOLDER = """
import sys
from pathlib import Path
from loreley.host.locks import FileLock

lock = FileLock.take(Path(sys.argv[1]))
lock.write("mine")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def test_a_lock_ends_with_its_process(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert FileLock.take(path) is None
        assert is_locked(path)
        assert read_lock_text(path) == "mine"
        holder.kill()

    lock = FileLock.take(path)
    assert lock is not None
    assert lock.text == "mine"
    lock.release()
    assert not is_locked(path)


def test_a_shorter_text_replaces_a_longer_one(path: Path) -> None:
    lock = FileLock.take(path)
    assert lock is not None
    lock.write("a long text")
    lock.write("7\n")
    assert lock.holder_pid() == 7
    lock.release()


def test_a_shared_lock_excludes_only_those_that_want_it_alone(path: Path) -> None:
    first, second, alone = FileLock(path), FileLock(path), FileLock(path)
    assert first.acquire(shared=True)
    assert second.acquire(shared=True)
    assert not alone.acquire(within_seconds=0.05)
    first.release()
    second.release()
    assert alone.acquire()
    alone.release()


def test_whoever_takes_a_lock_that_was_just_removed_begins_with_a_new_file(path: Path) -> None:
    old = FileLock.take(path)
    assert old is not None
    waiting = FileLock(path)
    got: list[bool] = []
    thread = threading.Thread(target=lambda: got.append(waiting.acquire(within_seconds=5)))
    thread.start()
    old.remove()
    thread.join()

    assert got == [True]
    assert waiting.is_on_disk()
    waiting.release()


def test_there_is_no_lock_without_a_file(path: Path) -> None:
    assert not is_locked(path)
    assert read_lock_text(path) == ""


def test_a_held_lock_is_waited_for_until_the_deadline(path: Path) -> None:
    with (
        hold_lock(path, Deadline()),
        pytest.raises(TimeLimitReached),
        hold_lock(path, Deadline.after(0.2)),
    ):
        pass
    assert not is_locked(path)


def test_a_wait_for_a_lock_ends_when_a_stop_is_asked_for(path: Path) -> None:
    stop = Stop()
    threading.Timer(0.1, stop.ask, (JobInterrupted("stopping"),)).start()
    with (
        hold_lock(path, Deadline()),
        pytest.raises(JobInterrupted),
        hold_lock(path, Deadline(stop=stop)),
    ):
        pass
