"""Temporary folders: gone afterwards, also when their process was killed."""

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from loreley.host.tempdirs import find_abandoned_folders, temporary_folder
from tests.support import PROJECT_ROOT

HOLD = """
import sys
from loreley.host.tempdirs import temporary_folder
with temporary_folder() as folder:
    (folder / "file").touch()
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_a_folder_is_gone_with_its_content_afterwards(place: Path) -> None:
    with suppress(KeyboardInterrupt), temporary_folder() as folder:
        (folder / "deep").mkdir()
        raise KeyboardInterrupt

    assert not folder.exists()
    assert list(place.iterdir()) == []


def test_a_folder_of_a_dead_process_is_removed_and_a_live_one_s_is_not(place: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip())
        os.utime(left, (0, 0))
        with temporary_folder():
            assert (left / "file").exists()
        process.kill()
        process.wait()

    assert find_abandoned_folders() == [left]
    with temporary_folder():
        assert not left.exists()


def test_what_others_named_alike_is_left_alone(place: Path) -> None:
    (place / "target").mkdir()
    link = place / "loreley-temporary-link"
    link.symlink_to(place / "target")
    file = place / "loreley-temporary-file"
    file.touch()
    os.utime(file, (0, 0))
    os.utime(link, (0, 0), follow_symlinks=False)

    with temporary_folder():
        assert file.exists()
        assert link.is_symlink()


def test_a_folder_that_was_just_made_is_not_taken_for_abandoned(place: Path) -> None:
    (place / "loreley-temporary-new").mkdir()

    assert find_abandoned_folders() == []
