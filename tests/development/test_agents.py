from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from development.agents import install_agents
from loreley.core.agents.presets import presets
from loreley.errors import ConfigError


def recorder() -> tuple[Callable[[Sequence[str]], bool], list[Sequence[str]]]:
    """Something that runs nothing, and what it was asked to run."""
    ran: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> bool:
        ran.append(command)
        return True

    return run, ran


def test_every_agent_that_a_registry_has_is_installed_below_the_folder(tmp_path: Path) -> None:
    run, ran = recorder()

    missing = install_agents(tmp_path / "agents", run)

    text = "\n".join(map(" ".join, ran))
    assert missing == ["cursor"]
    for name, preset in presets().items():
        package = preset.install.split()[-1]
        assert (package in text) is (name not in missing), name
    assert all(str(tmp_path / "agents") in " ".join(command) for command in ran)
    [link] = [command for command in ran if command[0] == "ln"]
    assert link[-2:] == ["goose-binary-linux-x64", str(tmp_path / "agents" / "bin" / "goose")]


def test_only_those_that_are_named_are_installed(tmp_path: Path) -> None:
    run, ran = recorder()

    install_agents(tmp_path, run, ["mini-swe-agent"])

    assert [command[-1] for command in ran] == ["mini-swe-agent"]


def test_an_installation_that_fails_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="could not be installed"):
        install_agents(tmp_path, lambda _: False, ["claude"])
