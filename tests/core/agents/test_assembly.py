"""The agents that the settings name: what is checked before a worker goes online."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from loguru import logger

from loreley.config import Settings
from loreley.core.agents.assembly import (
    agent_environment,
    assemble_agents,
    granted_variables,
)
from loreley.core.agents.chat.agent import ChatAgent
from loreley.core.agents.command import CommandAgent
from loreley.core.agents.genetic.agent import GeneticAgent
from loreley.core.agents.presets import presets
from loreley.core.agents.prices import require_prices
from loreley.core.agents.protocol import Agent
from loreley.core.agents.router import Router
from loreley.core.budget import Tariff
from loreley.core.sandbox.sandbox import Level, Sandbox
from loreley.core.sandbox.tools import Tools
from loreley.errors import ConfigError, Problem
from tests.core.agents.support import program

SANDBOX = Sandbox(Level.LIMITS, Tools("/bin/sh"))
NOTHING: Mapping[str, str] = MappingProxyType({})
SAYS_ALL = f"print('1.2.3' if '--version' in sys.argv else {' '.join(presets()['claude'].flags)!r})"


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """An environment in which there is a `claude` that shows every flag, and its key."""
    program(tmp_path / "bin" / "claude", SAYS_ALL)
    return {"PATH": str(tmp_path / "bin"), "ANTHROPIC_API_KEY": "key"}


@pytest.fixture
def log() -> Iterator[list[str]]:
    """What is logged as a warning."""
    said: list[str] = []
    sink = logger.add(said.append, level="WARNING", format="{message}")
    yield said
    logger.remove(sink)


def assembled(environ: Mapping[str, str] = NOTHING, **settings: object) -> Agent | Router:
    return assemble_agents(Settings(**settings), SANDBOX, environ)  # type: ignore[arg-type]


def problems(environ: Mapping[str, str] = NOTHING, **settings: object) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as raised:
        assembled(environ, **settings)
    return raised.value.problems


def test_by_default_the_genetic_agent_is_at_work() -> None:
    assert isinstance(assembled(), GeneticAgent)


def test_an_unknown_agent_is_reported_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match="'clude' is none of genetic, chat, command, aider"):
        Settings(worker_agent=["clude"])


@pytest.mark.parametrize("name", sorted(presets()))
def test_a_program_that_is_missing_is_reported_with_how_to_install_it(
    name: str, tmp_path: Path
) -> None:
    environ = {"PATH": str(tmp_path), presets()[name].keys[0]: "key"}

    [problem] = problems(environ, worker_agent=[name])

    assert problem.target == presets()[name].program
    assert problem.setting == f"WORKER_AGENT={name}"
    assert problem.fix == presets()[name].install


def test_a_missing_key_is_reported_with_its_variables_and_the_way_to_log_in(
    installed: dict[str, str],
) -> None:
    del installed["ANTHROPIC_API_KEY"]

    [problem] = problems(installed, worker_agent=["claude"])

    assert "ANTHROPIC_API_KEY" in problem.setting
    assert "WORKER_AGENT_HOME" in problem.fix


def test_an_agent_that_would_wait_for_a_person_needs_a_key_or_a_model(
    installed: dict[str, str], tmp_path: Path
) -> None:
    program(tmp_path / "bin" / "aider", "")
    path = {"PATH": installed["PATH"]}

    [problem] = problems(path, worker_agent=["aider"])
    assert "no key and no model" in problem.what
    assert "WORKER_AGENT_MODELS=aider:" in problem.fix
    assembled(path, worker_agent=["aider"], worker_agent_models=["aider:ollama_chat/qwen3"])
    assembled(path | {"GEMINI_API_KEY": "key"}, worker_agent=["aider"])


def test_a_home_to_be_logged_in_from_takes_the_place_of_a_key(
    installed: dict[str, str], tmp_path: Path
) -> None:
    del installed["ANTHROPIC_API_KEY"]

    found = assembled(installed, worker_agent=["claude"], worker_agent_home=str(tmp_path))

    assert isinstance(found, CommandAgent)
    assert found.process.options.home == tmp_path


def test_an_agent_is_made_of_its_preset_and_the_settings(
    installed: dict[str, str], tmp_path: Path
) -> None:
    found = assembled(
        installed,
        worker_agent=["claude"],
        worker_agent_models=["claude:sonnet", "codex:gpt-5"],
        worker_agent_arguments=["claude:--effort high --settings 'a b'"],
        worker_agent_prices=["claude:3:15:0.3"],
        worker_agent_call_prices=["claude:0.5"],
        worker_agent_idle_seconds=7,
        worker_agent_read_paths=[str(tmp_path)],
    )

    assert isinstance(found, CommandAgent)
    options = found.process.options
    assert (options.model, options.arguments) == (
        "sonnet",
        ("--effort", "high", "--settings", "a b"),
    )
    assert (options.idle_seconds, options.readable) == (7, (tmp_path,))
    assert found.tariff == Tariff(3, 15, 0.3, 0.5)


def test_a_model_that_has_a_colon_in_its_name_is_kept_whole(installed: dict[str, str]) -> None:
    found = assembled(installed, worker_agent=["claude"], worker_agent_models=["claude:qwen3:30b"])

    assert isinstance(found, CommandAgent)
    assert found.process.options.model == "qwen3:30b"


def test_a_flag_that_is_gone_is_a_warning_that_names_it(
    installed: dict[str, str], tmp_path: Path, log: list[str]
) -> None:
    program(tmp_path / "bin" / "claude", SAYS_ALL.replace("--strict-mcp-config", "--stricter-mcp"))

    assembled(installed, worker_agent=["claude"])

    [said] = [line for line in log if "--strict-mcp-config" in line]
    assert "version 1.2.3" in said
    assert presets()["claude"].seen in said


@pytest.mark.parametrize(
    ("first_line", "mode", "reason"),
    [
        ("#!/no/such/interpreter", 0o755, "its first line names '/no/such/interpreter'"),
        ("#!/usr/bin/env no-such-node", 0o755, "its first line names 'no-such-node'"),
        ("#!/bin/sh\r", 0o755, "its first line names '/bin/sh\\r'"),
        ("#!/bin/sh", 0o644, "may not be executed"),
    ],
)
@pytest.mark.parametrize("agent", ["command", "claude"])
def test_a_program_that_cannot_be_started_keeps_the_worker_offline(
    agent: str, first_line: str, mode: int, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "claude").write_text(f"{first_line}\necho 1.2.3\n", newline="")
    (tmp_path / "claude").chmod(mode)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "ANTHROPIC_API_KEY": "key"}

    [problem] = problems(environ, worker_agent=[agent], worker_agent_command="claude")

    assert reason in problem.reason
    assert problem.fix


def test_a_program_that_fails_when_asked_for_its_version_keeps_the_worker_offline(
    installed: dict[str, str], tmp_path: Path
) -> None:
    program(tmp_path / "bin" / "claude", "import no_such_module")

    [problem] = problems(installed, worker_agent=["claude"])

    assert "exit code 1: ModuleNotFoundError: No module named 'no_such_module'" in problem.reason


def test_an_own_command_is_found_beside_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "agent.py", "")
    monkeypatch.chdir(tmp_path)

    found = assembled(
        worker_agent=["command"], worker_agent_command="./agent.py --file {prompt_file}"
    )

    assert isinstance(found, CommandAgent)
    assert found.process.program.path == tmp_path / "agent.py"
    assert found.process.preset.arguments == ("--file", "{prompt_file}")


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (None, "not set"),
        ("./gone.sh", "cannot be run"),
        ("no-such-program --x", "cannot be run"),
        ("agent 'open", "not a command line"),
    ],
)
def test_an_own_command_that_cannot_be_run_is_reported(command: str | None, what: str) -> None:
    [problem] = problems(worker_agent=["command"], worker_agent_command=command)

    assert what in problem.what
    assert problem.fix


def test_a_chat_model_is_asked_by_its_name() -> None:
    found = assembled(
        worker_agent=["chat"], worker_agent_prices=["chat:1:2"], worker_chat_model="stub"
    )

    assert isinstance(found, ChatAgent)
    assert (found.endpoint.model, found.is_priced) == ("stub", True)


def test_several_agents_are_a_choice_by_their_weights(installed: dict[str, str]) -> None:
    found = assembled(installed, worker_agent=["claude:3", "genetic:1"])

    assert isinstance(found, Router)
    assert found.name == "claude+genetic"
    picks = [found.pick(None, seed).name for seed in range(400)]
    assert 270 <= picks.count("claude") <= 330
    assert found.pick("genetic", 0).name == "genetic"
    assert found.pick("gone", 5).name == found.pick(None, 5).name


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    found = problems(
        {"PATH": str(tmp_path)},
        worker_agent=["claude", "codex", "command"],
        worker_agent_home=str(tmp_path / "gone"),
        worker_agent_read_paths=[str(tmp_path / "missing")],
        worker_agent_environment=["DATABASE_URL", "not a name"],
        scheduler_budget_dollars=5,
    )

    told = [f"{problem.setting}: {problem.what}" for problem in found]
    assert len(told) == len(set(told)) == 9


@pytest.mark.parametrize(
    ("agent", "given"),
    [("codex", {}), ("gemini", {}), ("copilot", {}), ("aider", {}), ("chat", {}), ("command", {})],
)
def test_a_budget_in_dollars_needs_prices(agent: str, given: dict[str, object]) -> None:
    settings = Settings(worker_agent=[agent], scheduler_budget_dollars=5, worker_chat_model="x")

    with pytest.raises(ConfigError) as raised:
        require_prices(settings)

    [problem] = raised.value.problems
    assert f"WORKER_AGENT_PRICES={agent}:" in problem.fix


@pytest.mark.parametrize("agent", ["claude", "opencode", "genetic"])
def test_agents_that_tell_their_price_or_have_none_need_none(agent: str) -> None:
    require_prices(Settings(worker_agent=[agent], scheduler_budget_dollars_per_day=5))


def test_without_a_budget_in_dollars_no_price_is_needed() -> None:
    require_prices(Settings(worker_agent=["codex"], scheduler_budget_tokens=5))


def test_a_key_may_stand_in_the_env_file_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("ANTHROPIC_API_KEY=of-the-file\nOPENAI_API_KEY=kept\nEMPTY=\n")

    found = agent_environment({"ANTHROPIC_API_KEY": "of-the-environment"})

    assert found == {"ANTHROPIC_API_KEY": "of-the-environment", "OPENAI_API_KEY": "kept"}


def test_the_granted_variables_are_those_of_the_agents_and_those_named() -> None:
    settings = Settings(worker_agent=["claude"], worker_agent_environment=["TEAM_TOKEN"])

    assert "ANTHROPIC_API_KEY" in granted_variables(settings)
    assert "TEAM_TOKEN" in granted_variables(settings)
    assert "OPENAI_API_KEY" not in granted_variables(settings)
