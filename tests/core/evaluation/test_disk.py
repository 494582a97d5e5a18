"""What evaluations write to the disk, and disks that are full (rows 31 and 37)."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loreley.core.sandbox.sandbox import Level, probe
from loreley.errors import EvaluationFailed, HostTrouble
from tests.core.evaluation.bench import MEBIBYTE, Bench, sandbox_at
from tests.support import eventually
from tests.system.faults import fill, small_filesystem

WRITES = """
import os, pathlib, time

def judge(context):
    folder = pathlib.Path({folder})
    for number in range(60):
        (folder / str(number)).write_bytes(bytes(2**19))
    time.sleep(60)
"""
FAILS_LATER = """
import time

def judge(context):
    (context.scratch / "begun").touch()
    while not (context.scratch / "go-on").exists():
        time.sleep(0.01)
    raise ValueError("it could not write its figures")
"""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    with small_filesystem(tmp_path / "small", "32m") as folder:
        yield folder


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("folder", ["context.worktree", "context.scratch", "os.environ['TMPDIR']"])
def test_row_31_the_sum_of_what_is_written_is_bounded(
    folder: str, level: Level, tmp_path: Path
) -> None:
    bench = Bench(tmp_path, replace(sandbox_at(level), disk_bytes=8 * MEBIBYTE))

    failure = bench.failure(bench.plugin(WRITES.format(folder=folder)))

    assert failure.problems[0].what == "the evaluation wrote too much to the disk"
    assert failure.problems[0].setting == "WORKER_SANDBOX_MAX_DISK_MB"
    assert failure.problems[0].reason.endswith("MiB were written, and 8 MiB may be")


def test_row_31_a_candidate_cannot_take_the_room_of_others(small: Path) -> None:
    bench = Bench(small, replace(probe(), disk_bytes=10**12))

    failure = bench.failure(bench.plugin(WRITES.format(folder="context.scratch")))

    assert "wrote too much to the disk" in failure.summary


@pytest.mark.parametrize("is_filled", [True, False])
def test_a_disk_that_was_full_for_a_moment_is_the_hosts_fault(is_filled: bool, small: Path) -> None:
    bench = Bench(small, replace(probe(), disk_bytes=8 * MEBIBYTE))

    def fill_and_empty() -> None:
        eventually((bench.scratch / "begun").exists)
        go_on = bench.scratch / "go-on"
        if is_filled:
            filler = fill(small)
            threading.Event().wait(0.3)  # a look or two
            filler.unlink()
        go_on.touch()

    thread = threading.Thread(target=fill_and_empty)
    thread.start()
    with pytest.raises(HostTrouble if is_filled else EvaluationFailed) as raised:
        bench.judge(bench.plugin(FAILS_LATER))
    thread.join()

    assert "could not write its figures" in raised.value.summary
    assert (raised.value.fix == "free some disk space") is is_filled
