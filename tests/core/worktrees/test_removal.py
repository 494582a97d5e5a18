"""Deleting what anything may have been done to."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loreley.core.worktrees.removal import delete


def nest(top: Path, depth: int) -> None:
    """Make so many folders, each in the one before."""
    above = os.open(top, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("a", dir_fd=above)
        below = os.open("a", os.O_RDONLY, dir_fd=above)
        os.close(above)
        above = below
    os.close(above)


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """Folders nested deeper than Python goes, which pytest could not remove either."""
    folder = tmp_path / "deep"
    folder.mkdir()
    nest(folder, sys.getrecursionlimit() + 100)
    yield folder
    subprocess.run(["rm", "-rf", "--", str(folder)], check=True)


def test_what_cannot_be_deleted_stays_and_stops_nobody(
    deep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing program stands for one that takes longer than it may."""
    with monkeypatch.context() as patched:
        patched.setenv("PATH", str(deep))
        delete(deep)
    assert deep.exists()

    delete(deep)
    assert not deep.exists()
