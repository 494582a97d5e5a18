import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from redis import Redis

from loreley.errors import ConfigError, ServiceUnavailable
from loreley.host.locks import FileLock
from loreley.ops.embedded.folder import ServerFolder, is_answering
from loreley.ops.embedded.start import EmbeddedServer, ensure_server, find_binary, stop_server
from tests.support import eventually, python_process

IDLE_SECONDS = 0.3

USER = """
import json, os, sys
from pathlib import Path
from loreley.ops.embedded.start import ensure_server
server = ensure_server(Path(sys.argv[1]), idle_seconds=float(sys.argv[2]))
print(json.dumps({"url": server.url, "started": server.started}), flush=True)
"""
WAIT = "sys.stdin.read()"
BECOME = "os.execvp('cat', ['cat'])"
LEAVE_A_CHILD = """
import subprocess
child = subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
"""


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    state_dir = tmp_path / "state"
    yield state_dir
    folder = ServerFolder.below(state_dir)
    shutil.rmtree(state_dir, ignore_errors=True)
    eventually(lambda: not is_answering(folder.socket_path))


@contextmanager
def using(state_dir: Path, *, idle_seconds: float = IDLE_SECONDS) -> Iterator[EmbeddedServer]:
    server = ensure_server(state_dir, idle_seconds=idle_seconds)
    try:
        yield server
    finally:
        server.release()


def user_process(
    state_dir: Path, then: str = WAIT
) -> AbstractContextManager[subprocess.Popen[str]]:
    return python_process(USER + then, state_dir, IDLE_SECONDS)


def told(process: subprocess.Popen[str]) -> dict[str, object]:
    assert process.stdout is not None
    answer = json.loads(process.stdout.readline())
    assert isinstance(answer, dict)
    return answer


def server_pid(state_dir: Path) -> int:
    pid = FileLock(ServerFolder.below(state_dir).server_lock).holder_pid()
    assert pid is not None
    return pid


def guardian_pid(state_dir: Path) -> int:
    pid = FileLock(ServerFolder.below(state_dir).guardian_lock).holder_pid()
    assert pid is not None
    return pid


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def has_ended(state_dir: Path) -> bool:
    folder = ServerFolder.below(state_dir)
    locks = (folder.server_lock, folder.guardian_lock)
    return not any(FileLock(lock).is_held_by_anyone() for lock in locks)


def test_a_started_server_answers_and_says_what_it_is(state_dir: Path) -> None:
    with using(state_dir) as server:
        assert server.started
        assert server.version.name == "Valkey"
        assert server.version.number.split(".")[0].isdigit()
        assert Path(server.version.binary) == find_binary()
        with Redis.from_url(server.url) as client:
            assert client.ping()
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_second_user_finds_the_server_that_runs(state_dir: Path) -> None:
    with using(state_dir) as first, user_process(state_dir) as other:
        assert told(other) == {"url": first.url, "started": False}


@pytest.mark.slow
def test_the_server_ends_after_its_last_user_and_keeps_what_it_knew(state_dir: Path) -> None:
    with using(state_dir) as server, Redis.from_url(server.url) as client:
        client.rpush("queue", "job")

    eventually(lambda: has_ended(state_dir))

    with using(state_dir) as server, Redis.from_url(server.url) as client:
        assert server.started
        assert client.lrange("queue", 0, -1) == [b"job"]


@pytest.mark.slow
def test_the_server_stays_while_somebody_uses_it(state_dir: Path) -> None:
    with user_process(state_dir) as other:
        told(other)
        pid = server_pid(state_dir)
        with using(state_dir):
            pass
        with pytest.raises(AssertionError):
            eventually(lambda: has_ended(state_dir), within=4 * IDLE_SECONDS)
        assert server_pid(state_dir) == pid


@pytest.mark.slow
def test_of_several_that_start_at_once_exactly_one_starts_a_server(state_dir: Path) -> None:
    def started(_: int) -> bool:
        with user_process(state_dir) as process:
            return bool(told(process)["started"])

    with user_process(state_dir) as a, user_process(state_dir) as b, user_process(state_dir) as c:
        assert sorted(bool(told(process)["started"]) for process in (a, b, c)) == [
            False,
            False,
            True,
        ]


def test_threads_of_one_process_share_one_server(state_dir: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        servers = list(
            pool.map(lambda _: ensure_server(state_dir, idle_seconds=IDLE_SECONDS), range(4))
        )
    assert sum(server.started for server in servers) == 1
    for server in servers:
        server.release()


@pytest.mark.slow
def test_the_use_survives_exec(state_dir: Path) -> None:
    with user_process(state_dir, BECOME) as process:
        told(process)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("now cat\n")
        process.stdin.flush()
        assert process.stdout.readline() == "now cat\n"  # it is another program by now
        with pytest.raises(AssertionError):
            eventually(lambda: has_ended(state_dir), within=4 * IDLE_SECONDS)
    eventually(lambda: has_ended(state_dir))


@pytest.mark.slow
def test_a_child_of_a_user_does_not_keep_the_server(state_dir: Path) -> None:
    with user_process(state_dir, LEAVE_A_CHILD + WAIT) as process:
        told(process)
        assert process.stdout is not None
        child = int(process.stdout.readline())
    try:
        eventually(lambda: has_ended(state_dir))
        os.kill(child, 0)
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_killed_server_comes_back_at_the_same_address(state_dir: Path) -> None:
    with using(state_dir) as server, Redis.from_url(server.url) as client:
        client.config_set("appendfsync", "always")
        client.rpush("queue", "job")
        killed = server_pid(state_dir)
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: server_pid(state_dir) != killed)
        eventually(lambda: is_answering(ServerFolder.below(state_dir).socket_path))
        assert client.lrange("queue", 0, -1) == [b"job"]


@pytest.mark.slow
def test_a_lost_socket_is_made_again(state_dir: Path) -> None:
    with using(state_dir) as server, Redis.from_url(server.url) as client:
        ServerFolder.below(state_dir).socket_path.unlink()
        eventually(lambda: is_answering(ServerFolder.below(state_dir).socket_path))
        assert client.ping()


def test_after_a_killed_guardian_the_next_user_gets_a_fresh_one(state_dir: Path) -> None:
    with using(state_dir) as server, Redis.from_url(server.url) as client:
        client.rpush("queue", "job")
        killed = guardian_pid(state_dir)
        os.kill(killed, signal.SIGKILL)
        life = FileLock(ServerFolder.below(state_dir).guardian_lock)
        eventually(lambda: not life.is_held_by_anyone())
        with using(state_dir) as again:
            assert again.started
            assert again.url == server.url
            assert guardian_pid(state_dir) != killed
            assert client.lrange("queue", 0, -1) == [b"job"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_server_ends_with_its_killed_guardian(state_dir: Path) -> None:
    with using(state_dir):
        os.kill(guardian_pid(state_dir), signal.SIGKILL)
        eventually(lambda: has_ended(state_dir))


@pytest.mark.slow
def test_a_server_that_outlives_its_guardian_keeps_others_from_its_data(state_dir: Path) -> None:
    with using(state_dir):
        server = server_pid(state_dir)
        os.kill(server, signal.SIGSTOP)  # so that it cannot follow its guardian
        os.kill(guardian_pid(state_dir), signal.SIGKILL)
        folder = ServerFolder.below(state_dir)
        eventually(lambda: not FileLock(folder.guardian_lock).is_held_by_anyone())
        assert FileLock(folder.server_lock).is_held_by_anyone()
        os.kill(server, signal.SIGCONT)
        with using(state_dir) as next_server:
            assert next_server.started
            eventually(lambda: not is_running(server))
            assert is_answering(folder.socket_path)


@pytest.mark.slow
def test_a_server_whose_folder_was_removed_ends(state_dir: Path) -> None:
    with using(state_dir):
        pids = server_pid(state_dir), guardian_pid(state_dir)
        shutil.rmtree(state_dir)
        eventually(lambda: not any(map(is_running, pids)))
        assert not state_dir.exists()


@pytest.mark.slow
def test_a_folder_that_was_removed_and_made_again_gets_a_server_of_its_own(
    state_dir: Path,
) -> None:
    with using(state_dir):
        old = server_pid(state_dir), guardian_pid(state_dir)
        shutil.rmtree(state_dir)
        with using(state_dir) as server:
            assert server.started
            eventually(lambda: not any(map(is_running, old)))
            eventually(lambda: is_answering(ServerFolder.below(state_dir).socket_path))


@pytest.mark.slow
def test_a_torn_last_write_does_not_keep_the_server_from_starting(state_dir: Path) -> None:
    with using(state_dir) as server, Redis.from_url(server.url) as client:
        client.rpush("queue", "first", "second")
    eventually(lambda: has_ended(state_dir))
    [log] = (state_dir / "redis" / "appendonlydir").glob("*.incr.aof")
    with log.open("ab") as file:
        file.write(b"*3\r\n$5\r\nRPUSH\r\n$5\r\nque")

    with using(state_dir) as server, Redis.from_url(server.url) as client:
        assert client.lrange("queue", 0, -1) == [b"first", b"second"]


@pytest.mark.slow
def test_unreadable_data_is_set_aside(state_dir: Path) -> None:
    with using(state_dir) as server, Redis.from_url(server.url) as client:
        client.rpush("queue", "job")
    eventually(lambda: has_ended(state_dir))
    [log] = (state_dir / "redis" / "appendonlydir").glob("*.incr.aof")
    log.write_bytes(b"rubbish\r\n" * 1000)

    with using(state_dir) as server, Redis.from_url(server.url) as client:
        assert client.llen("queue") == 0
    assert list((state_dir / "redis" / "appendonlydir.unreadable").glob("*.incr.aof"))


def test_debians_redis_serves_where_the_wheel_has_no_binary(state_dir: Path) -> None:
    binary = shutil.which("redis-server")
    assert binary, "redis-server is a part of the test environment"
    server = ensure_server(state_dir, binary=Path(binary), idle_seconds=IDLE_SECONDS)
    try:
        assert server.version.name == "Redis"
    finally:
        server.release()


def test_a_server_that_cannot_start_is_reported_with_the_end_of_its_log(
    state_dir: Path, tmp_path: Path
) -> None:
    binary = tmp_path / "broken-server"
    binary.write_text("#!/bin/sh\necho 'no room on the device'\nexit 3\n")
    binary.chmod(0o755)

    with pytest.raises(ServiceUnavailable) as raised:
        ensure_server(state_dir, binary=binary, idle_seconds=IDLE_SECONDS)

    message = str(raised.value)
    assert "ended with status 3" in message
    assert "no room on the device" in message
    assert "server.log" in message
    assert has_ended(state_dir)
    with using(state_dir) as server:
        assert server.started


def test_a_binary_of_another_machine_is_reported(state_dir: Path, tmp_path: Path) -> None:
    binary = tmp_path / "foreign-server"
    binary.write_bytes(b"\x7fELF" + bytes(64))
    binary.chmod(0o755)

    with pytest.raises(ServiceUnavailable, match="does not run") as raised:
        ensure_server(state_dir, binary=binary)

    assert "Exec format error" in str(raised.value)


def test_a_file_in_the_way_is_reported(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("not a folder")

    with pytest.raises(ConfigError) as raised:
        ensure_server(tmp_path / "state")

    assert "LORELEY_STATE_DIR" in str(raised.value)


@pytest.mark.slow
def test_a_long_path_gets_its_socket_in_a_private_folder(tmp_path: Path) -> None:
    state_dir = tmp_path / ("a" * 60) / ("ü" * 60)
    with using(state_dir) as server:
        folder = ServerFolder.below(state_dir).socket_path.parent
        assert not folder.is_relative_to(tmp_path)
        assert folder.stat().st_mode & 0o777 == 0o700
        with Redis.from_url(server.url) as client:
            assert client.ping()
    eventually(lambda: has_ended(state_dir))
    folder.rmdir()


def test_a_socket_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    state_dir = tmp_path / ("a" * 120)
    folder = ServerFolder.below(state_dir).socket_path.parent
    folder.mkdir()
    folder.chmod(0o777)
    try:
        with pytest.raises(ConfigError, match="cannot use its folder"):
            ensure_server(state_dir)
    finally:
        folder.rmdir()


def test_a_planted_link_for_the_socket_folder_is_refused(tmp_path: Path) -> None:
    state_dir = tmp_path / ("b" * 120)
    folder = ServerFolder.below(state_dir).socket_path.parent
    (tmp_path / "target").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "target")
    try:
        with pytest.raises(ConfigError, match="cannot use its folder"):
            ensure_server(state_dir)
    finally:
        folder.unlink()


@pytest.mark.slow
def test_odd_characters_in_the_path_reach_the_client(tmp_path: Path) -> None:
    state_dir = tmp_path / "50% off? #1 ü"
    with using(state_dir) as server, Redis.from_url(server.url) as client:
        assert client.ping()
    eventually(lambda: has_ended(state_dir))


@pytest.mark.slow
def test_stop_refuses_while_the_server_is_used_and_stops_it_otherwise(state_dir: Path) -> None:
    with using(state_dir, idle_seconds=60):
        assert not stop_server(state_dir)
        assert not has_ended(state_dir)
    assert stop_server(state_dir)
    assert has_ended(state_dir)
    assert stop_server(state_dir)


def test_stop_without_a_server_makes_nothing(tmp_path: Path) -> None:
    assert stop_server(tmp_path / "never")
    assert not (tmp_path / "never").exists()
