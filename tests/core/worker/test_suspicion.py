"""Failures of a host that has no room left (row 37)."""

import tempfile
from pathlib import Path

import pytest

from loreley.core.worker.suspicion import find_host_trouble
from loreley.errors import AgentFailed, Fault
from tests.system.faults import fill, small_filesystem

_FAILURE = AgentFailed("command failed: exit code 120")  # Python's, which could not say why


@pytest.mark.parametrize("is_temporary", [True, False])
def test_a_full_disk_is_named_when_the_failure_cannot(
    is_temporary: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_filesystem(tmp_path / "small", "2m") as small:
        if is_temporary:
            monkeypatch.setattr(tempfile, "tempdir", str(small))
        folder = tmp_path if is_temporary else small
        assert find_host_trouble(_FAILURE, folder) is None

        fill(small)
        trouble = find_host_trouble(_FAILURE, folder)

    assert trouble is not None
    assert trouble.fault is Fault.HOST
    assert str(small) in str(trouble)
    assert "exit code 120" in str(trouble)
    assert "free some disk space" in str(trouble)
