"""Shims of version managers (row 14)."""

import os
from pathlib import Path

import pytest

from loreley.core.agents.programs import find_program, why_unusable
from loreley.core.sandbox.shims import find_manager, follow_shim


def script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.fixture(params=["asdf", "pyenv", "nodenv", "rbenv", "plenv", "mise", "volta", "aqua"])
def manager(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A stand-in for a version manager, on PATH with a shim of the program `tool`."""
    name = str(request.param)
    script(
        tmp_path / "bin" / name,
        f'[ "$1" = which ] && [ -x {tmp_path}/real/bin/$2 ] && echo {tmp_path}/real/bin/$2',
    )
    shims = tmp_path / "shims"
    if name in ("mise", "volta", "aqua"):
        shims.mkdir()
        target = tmp_path / "bin" / {"volta": "volta-shim", "aqua": "aqua-proxy"}.get(name, name)
        script(target, "exit 1") if name != "mise" else None
        (shims / "tool").symlink_to(target)
    else:
        script(shims / "tool", f'exec {name} exec "tool" "$@"')
    monkeypatch.setenv("PATH", f"{shims}:{tmp_path / 'bin'}:{os.environ['PATH']}")
    return name


def test_row_14_a_shim_is_followed_to_its_program(manager: str, tmp_path: Path) -> None:
    real = script(tmp_path / "real" / "bin" / "tool", "echo 1.0")

    assert find_manager(tmp_path / "shims" / "tool") == manager
    assert follow_shim(tmp_path / "shims" / "tool") == real
    found = find_program("tool", os.environ["PATH"])
    assert found is not None
    assert found.path == real


def test_row_14_a_shim_that_leads_nowhere_is_told_at_the_start(manager: str) -> None:
    reason = why_unusable("tool", os.environ["PATH"])

    assert f"is a shim of {manager}" in reason
    assert "first into PATH" in reason
    assert find_program("tool", os.environ["PATH"]) is None


def test_row_14_an_interpreter_behind_a_shim_is_found_first(manager: str, tmp_path: Path) -> None:
    real = script(tmp_path / "real" / "bin" / "tool", "echo 1.0")
    agent = tmp_path / "bin" / "agent"
    script(agent, "")
    agent.write_text("#!/usr/bin/env tool\n")

    found = find_program("agent", os.environ["PATH"])

    assert found is not None
    assert found.search_first == (real.parent,)
    assert real.parent.parent in found.folders


def test_an_ordinary_program_is_no_shim(tmp_path: Path) -> None:
    path = script(tmp_path / "tool", "echo asdf is a manager")

    assert find_manager(path) is None
    assert follow_shim(path) == path


def test_row_14_a_manager_that_is_not_on_path_is_called_as_its_shim_calls_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = script(tmp_path / "real" / "bin" / "tool", "echo 1.0")
    manager = script(tmp_path / ".rbenv" / "libexec" / "rbenv", f"echo {real}")
    shim = script(tmp_path / "shims" / "tool", f'exec "{manager}" exec "tool" "$@"')
    monkeypatch.setenv("PATH", f"{shim.parent}:/usr/bin:/bin")

    assert follow_shim(shim) == real


def test_row_14_a_program_that_runs_others_is_no_shim(tmp_path: Path) -> None:
    path = script(tmp_path / "tool", 'exec direnv exec . tool "$@"')

    assert find_manager(path) is None
