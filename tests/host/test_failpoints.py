"""Hold points: a process waits where a test wants it, and nowhere else."""

import os
import threading
import time
from pathlib import Path

import pytest

from loreley.host.failpoints import VARIABLE, Failpoint, hit
from tests.support import eventually


def test_without_the_variable_nothing_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / Failpoint.CLAIMED).touch()

    began = time.process_time()
    for _ in range(1000):
        hit(Failpoint.CLAIMED)

    assert time.process_time() - began < 0.1
    assert [path.name for path in tmp_path.iterdir()] == ["claimed"]


def test_a_point_nobody_asked_for_is_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (tmp_path / Failpoint.PUSHED).touch()

    hit(Failpoint.CLAIMED)


def test_a_point_holds_one_process_until_its_file_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (tmp_path / Failpoint.CLAIMED).touch()
    waiting = threading.Thread(target=hit, args=(Failpoint.CLAIMED,), daemon=True)
    waiting.start()
    held = tmp_path / f"claimed.{os.getpid()}"
    eventually(held.exists)

    hit(Failpoint.CLAIMED)  # another one passes
    assert waiting.is_alive()
    held.unlink()
    waiting.join(5)
    assert not waiting.is_alive()
