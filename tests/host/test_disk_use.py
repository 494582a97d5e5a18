"""How much children write, all files together (row 31)."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loreley.host import children
from loreley.host.children import Ending
from loreley.host.deadline import Deadline
from loreley.host.disk_use import CLOCK_TICK_NS, DiskUse
from tests.support import eventually
from tests.system.faults import fill, small_filesystem

MEBIBYTE = 1024 * 1024
MANY_FILES = """
for number in range(64):
    open(f"piece-{number}", "wb").write(bytes(2**18))
"""
NAMELESS = """
import os
held = []
for number in range(64):
    held.append(open("piece", "wb", buffering=0))
    os.unlink("piece")
    held[-1].write(bytes(2**18))
"""
BY_A_CHILD = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {MANY_FILES!r}])
"""
CLOSED = """
import os
os.mkdir("closed")
os.chdir("closed")
for number in range(64):
    open(f"piece-{number}", "wb").write(bytes(2**18))
os.chmod(".", 0)
"""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    with small_filesystem(tmp_path / "small", "64m") as folder:
        yield folder


def run(folder: Path, code: str, disk: DiskUse) -> children.Outcome:
    with (folder.parent / "output").open("wb") as output:
        return children.run(
            [sys.executable, "-c", f"{code}\nimport time; time.sleep(60)"],
            env={},
            cwd=folder,
            output=output,
            deadline=Deadline.after(30),
            disk=disk,
        )


@pytest.mark.parametrize("code", [MANY_FILES, NAMELESS, BY_A_CHILD])
def test_the_sum_of_many_small_files_is_bounded(small: Path, code: str) -> None:
    disk = DiskUse([small], 8 * MEBIBYTE)

    outcome = run(small, code, disk)

    assert outcome.ending is Ending.OVERFULL
    assert "wrote too much to the disk" in str(outcome)
    assert disk.written_bytes > 8 * MEBIBYTE
    assert not disk.was_full


@pytest.mark.slow
def test_room_that_others_give_back_hides_nothing_for_long(small: Path) -> None:
    other, own = small / "other", small / "own"
    other.write_bytes(bytes(30 * MEBIBYTE))
    own.mkdir()
    disk = DiskUse([own], 8 * MEBIBYTE)

    other.unlink()
    (own / "piece").write_bytes(bytes(20 * MEBIBYTE))

    eventually(disk.is_too_much, within=10)


def test_what_a_closed_folder_hides_is_counted(small: Path) -> None:
    (small / "sub").mkdir()
    disk = DiskUse([small], 8 * MEBIBYTE)

    assert run(small, CLOSED, disk).ending is Ending.OVERFULL


def test_a_quick_child_is_measured_when_it_has_ended(small: Path) -> None:
    disk = DiskUse([small], 8 * MEBIBYTE)
    argv = ["sh", "-c", "head -c 20000000 /dev/zero > piece"]
    with (small.parent / "output").open("wb") as output:
        ended = children.run(argv, env={}, cwd=small, output=output, deadline=Deadline(), disk=disk)

    assert ended.ending is Ending.OVERFULL


def test_files_of_before_and_holes_and_links_are_not_counted(small: Path) -> None:
    (small / "earlier").write_bytes(bytes(20 * MEBIBYTE))
    os.utime(small / "earlier", (0, 0))
    written_at = (small / "earlier").stat().st_ctime_ns
    eventually(lambda: time.time_ns() - written_at > CLOCK_TICK_NS)
    disk = DiskUse([small], 8 * MEBIBYTE)
    with (small / "sparse").open("wb") as file:
        file.truncate(30 * MEBIBYTE)
    (small / "piece").write_bytes(bytes(5 * MEBIBYTE))
    for number in range(5):
        os.link(small / "piece", small / f"link-{number}")
    (small / "outside").symlink_to("/usr")

    assert not disk.is_too_much()


def test_no_more_than_nine_tenths_of_the_room_may_be_written(small: Path) -> None:
    disk = DiskUse([small], 10**12)

    assert disk.bound_bytes < 60 * MEBIBYTE
    fill(small)
    assert disk.is_too_much()
    assert not disk.was_full


def test_a_disk_that_others_fill_is_noticed_though_it_is_emptied_again(
    small: Path, tmp_path: Path
) -> None:
    own = small / "own"
    own.mkdir()
    disk = DiskUse([own], 40 * MEBIBYTE)
    (own / "piece").write_bytes(bytes(MEBIBYTE))

    filler = fill(small)
    assert not disk.is_too_much()
    filler.unlink()

    assert not disk.is_too_much()
    assert disk.was_full


def test_what_others_write_is_not_the_childs(small: Path) -> None:
    own = small / "own"
    own.mkdir()
    disk = DiskUse([own], 4 * MEBIBYTE)

    (small / "other").write_bytes(bytes(20 * MEBIBYTE))

    assert not disk.is_too_much()
    assert not disk.was_full


def test_without_a_limit_a_child_that_fills_the_disk_is_known_still(small: Path) -> None:
    disk = DiskUse([small])

    fill(small)

    assert not disk.is_too_much()
    assert not disk.was_full


def test_a_folder_that_is_gone_is_no_failure(small: Path) -> None:
    folder = small / "folder"
    folder.mkdir()
    disk = DiskUse([folder], MEBIBYTE)

    folder.rmdir()

    assert not disk.is_too_much()
