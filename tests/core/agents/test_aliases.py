"""One coding agent several times, each with a name, a model and arguments of its own."""

from pathlib import Path

import pytest

from loreley.config import Settings, load_settings
from loreley.core.agents.assembly import assemble_agents, granted_variables
from loreley.core.agents.chat.agent import ChatAgent
from loreley.core.agents.command import CommandAgent
from loreley.core.agents.presets import presets
from loreley.core.agents.prices import require_prices
from loreley.core.agents.router import Router
from loreley.core.budget import Tariff
from loreley.core.sandbox.sandbox import Level, Sandbox, probe
from loreley.core.sandbox.tools import Tools
from loreley.errors import ConfigError
from tests.core.agents.command_agents import CHANGE, proposed
from tests.core.agents.support import Bench, program

SANDBOX = Sandbox(Level.LIMITS, Tools("/bin/sh"))


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """An environment in which there is a `claude` that shows every flag, and its key."""
    flags = " ".join(presets()["claude"].flags)
    program(tmp_path / "bin" / "claude", f"print('1.2.3', {flags!r})")
    return {"PATH": str(tmp_path / "bin"), "ANTHROPIC_API_KEY": "key"}


def test_one_program_is_a_choice_of_its_own_under_each_name(installed: dict[str, str]) -> None:
    settings = Settings(
        worker_agent=["fast=claude:2", "deep=claude"],
        worker_agent_models=["fast:haiku", "claude:opus"],
        worker_agent_arguments=["deep:--effort high"],
        worker_agent_prices=["fast:1:5", "claude:5:25"],
    )

    found = assemble_agents(settings, SANDBOX, installed)

    assert isinstance(found, Router)
    fast, deep = found.pick("fast", 0), found.pick("deep", 0)
    assert isinstance(fast, CommandAgent)
    assert isinstance(deep, CommandAgent)
    assert (fast.name, deep.name) == ("fast", "deep")
    assert (fast.process.options.model, deep.process.options.model) == ("haiku", "opus")
    assert (fast.process.options.arguments, deep.process.options.arguments) == (
        (),
        ("--effort", "high"),
    )
    assert (fast.tariff, deep.tariff) == (Tariff(1, 5), Tariff(5, 25))
    assert settings.agent_weights == {"fast": 2.0, "deep": 1.0}
    assert "ANTHROPIC_API_KEY" in granted_variables(settings)


def test_the_plain_name_may_stand_beside_the_others() -> None:
    settings = Settings(
        worker_agent=["claude", "fast=claude:0.5"], worker_agent_models=["fast:haiku"]
    )

    assert settings.agent_kinds == {"claude": "claude", "fast": "claude"}
    assert settings.of_agent("worker_agent_models", "claude") == ""
    assert settings.of_agent("worker_agent_models", "fast") == "haiku"


def test_a_chat_model_stands_several_times_too() -> None:
    settings = Settings(
        worker_agent=["small=chat", "large=chat"],
        worker_agent_models=["large:qwen3:235b"],
        worker_chat_model="qwen3:8b",
    )

    found = assemble_agents(settings, SANDBOX, {})

    assert isinstance(found, Router)
    models = {}
    for name in ("small", "large"):
        agent = found.pick(name, 0)
        assert isinstance(agent, ChatAgent)
        models[agent.name] = agent.endpoint.model
    assert models == {"small": "qwen3:8b", "large": "qwen3:235b"}


def test_a_candidate_is_signed_with_the_name(bench: Bench, tmp_path: Path) -> None:
    command = str(program(tmp_path / "agent", CHANGE))
    settings = Settings(worker_agent=["mine=command"], worker_agent_command=command)

    found = assemble_agents(settings, probe(), {"PATH": "/usr/bin:/bin"})

    assert isinstance(found, CommandAgent)
    assert proposed(found, bench).summary.endswith("Agent: mine")


def test_a_price_is_asked_for_by_the_name() -> None:
    settings = Settings(worker_agent=["fast=codex"], scheduler_budget_dollars=5)

    with pytest.raises(ConfigError, match="WORKER_AGENT_PRICES=fast:"):
        require_prices(settings)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("claude, claude", "such as 'fast=claude'"),
        ("fast=claude, fast=codex", "'fast' is named twice"),
        ("fast=clude", "'clude' is none of genetic, chat, command"),
        ("codex=claude", "'codex' is the name of another agent"),
        ("tiny=genetic", "name it as it is"),
        ("a b=claude", "a name has letters, digits"),
        ("fast=", "'' is none of"),
        ("fast=claude:0", "a weight is above 0"),
    ],
)
def test_a_name_that_cannot_be_is_reported(
    given: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKER_AGENT", given)
    monkeypatch.setenv("WORKER_AGENT_MODELS", "fast:haiku")  # which nothing can be said of then

    with pytest.raises(ConfigError) as raised:
        load_settings()

    [problem] = raised.value.problems
    assert problem.setting.startswith("WORKER_AGENT=")
    assert reason in problem.reason


def test_a_setting_of_a_name_that_nobody_has_is_reported_with_those_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORKER_AGENT", "fast=claude")
    monkeypatch.setenv("WORKER_AGENT_MODELS", "fats:haiku")

    with pytest.raises(ConfigError, match="with one of fast, genetic, chat"):
        load_settings()
