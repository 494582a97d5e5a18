"""The real coding agents, where REAL_AGENTS_PATH names folders in which they are installed.

`invoke agents` installs them. They need no key and no network beyond loopback: it is tried how they
are called, how they fail without a login, and against a stand-in for their provider, that what
they do counts and that whoever caused a failure is named.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from loreley.core.agents.command import CommandAgent
from loreley.core.agents.command_process import CommandOptions, CommandProcess
from loreley.core.agents.presets import presets
from loreley.core.agents.probing import probe as probe_program
from loreley.core.agents.programs import find_program
from loreley.core.agents.prompts import Prompter
from loreley.core.budget import Tariff
from loreley.core.sandbox.sandbox import probe
from loreley.errors import (
    AgentFailed,
    HostTrouble,
    LoreleyError,
    ProviderRefused,
    ProviderUnavailable,
    TimeLimitReached,
)
from loreley.host.deadline import Deadline
from tests.core.agents.provider.model import CONTENT, FILE, INPUT_TOKENS, OUTPUT_TOKENS
from tests.core.agents.provider.server import Provider, provider
from tests.core.agents.support import Bench, CountingTrials

_PATH = os.environ.get("REAL_AGENTS_PATH", "")
_SEARCH = os.pathsep.join([_PATH, os.environ.get("PATH", "")])
_INSTALLED = [name for name in sorted(presets()) if find_program(presets()[name].program, _PATH)]
_KEY = "sk-of-the-operator-0123456789"
# What a model is called, where a name alone would not do.
_MODELS = {
    **dict.fromkeys(("aider", "mini-swe-agent"), "openai/stub"),
    **dict.fromkeys(("opencode", "pi"), "openai/gpt-5"),
    "gemini": "gemini-2.5-pro",
}
# Nothing that needs the network beside the model.
_OFFLINE = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "COPILOT_OFFLINE": "true",
}
_SECONDS = 900  # some ask a provider that is at its limits again for minutes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(_SECONDS + 60),
    pytest.mark.skipif(not _PATH, reason="REAL_AGENTS_PATH names no folder with coding agents"),
]
each_installed = pytest.mark.parametrize("name", _INSTALLED)


Make = Callable[..., CommandAgent]


@pytest.fixture
def agent() -> Make:
    def make(name: str, environ: dict[str, str] | None = None, **options: object) -> CommandAgent:
        program = find_program(presets()[name].program, _SEARCH)
        assert program is not None
        process = CommandProcess(
            presets()[name],
            program,
            CommandOptions(**options),  # type: ignore[arg-type]
            probe(),
            {"PATH": _SEARCH, **(environ or {})},
        )
        return CommandAgent(name, process, Prompter.from_file(None, 65536), Tariff())

    return make


@pytest.fixture
def model() -> Iterator[Provider]:
    with provider() as found:
        yield found


@pytest.fixture
def asking(agent: Make, model: Provider) -> Make:
    """A function that makes an agent that asks the stand-in, with the operator's key."""

    def make(name: str, scenario: str, **options: object) -> CommandAgent:
        gateway = presets()[name].gateway
        assert gateway is not None
        return agent(
            name,
            _OFFLINE | {gateway.key: _KEY},
            gateway=model.url(scenario),
            model=_MODELS.get(name, "stub"),
            environment=tuple(_OFFLINE),
            **options,
        )

    return make


def fail(found: CommandAgent, bench: Bench, seconds: float = _SECONDS) -> LoreleyError:
    """What it is reported to have failed by; nothing of the key shows anywhere."""
    began = time.monotonic()
    with pytest.raises(LoreleyError) as raised:
        found.propose(bench.worktree, bench.brief, Deadline.after(seconds), bench.recorder)
    error, took = raised.value, time.monotonic() - began
    # For the table in docs/loreley/agents.md.
    print(f"{found.name}: {took:.0f} s, {type(error).__name__}: {error.summary}")  # noqa: T201
    assert _KEY not in str(error)
    assert _KEY not in bench.kept("agent.log")
    assert not bench.worktree.patch(1000)
    return error


@each_installed
def test_it_has_the_flags_of_its_preset(name: str) -> None:
    preset = presets()[name]
    program = find_program(preset.program, _SEARCH)
    assert program is not None

    answer = probe_program(preset, program, {"PATH": _SEARCH})

    assert answer.missing_flags == ()
    assert answer.version == preset.seen


@each_installed
def test_it_measures_by_the_tool_and_by_the_command(name: str, asking: Make, bench: Bench) -> None:
    trials = CountingTrials()
    goal = f"Write this file: {bench.worktree.path / FILE} now."
    brief = replace(bench.brief, goal=goal, trials=trials)

    proposal = asking(name, "edit").propose(
        bench.worktree, brief, Deadline.after(_SECONDS), bench.recorder
    )

    assert proposal.subject
    assert bench.read(FILE) == CONTENT
    by_tool = presets()[name].mcp is not None
    # aider runs nothing by itself.
    assert trials.asked == (0 if name == "aider" else 1) + by_tool, bench.kept("agent.log")


@each_installed
def test_without_a_login_it_fails_and_says_why(name: str, agent: Make, bench: Bench) -> None:
    found = agent(name, network=False, idle_seconds=20)

    with pytest.raises(LoreleyError) as raised:
        found.propose(bench.worktree, bench.brief, Deadline.after(45), bench.recorder)

    assert len(raised.value.problems[0].reason) > len("exit code 1: ")
    assert not bench.worktree.patch(1000)


@each_installed
def test_a_flag_it_does_not_know_is_reported_as_that(name: str, agent: Make, bench: Bench) -> None:
    found = agent(name, network=False, arguments=("--no-such-flag-at-all",), idle_seconds=20)
    says_nothing = name == "continue"  # but its exit code

    with pytest.raises(
        AgentFailed if says_nothing else HostTrouble,
        match="exit code 1" if says_nothing else "does not know a flag",
    ):
        found.propose(bench.worktree, bench.brief, Deadline.after(45), bench.recorder)


@each_installed
def test_what_it_writes_is_what_it_proposes(
    name: str, asking: Make, bench: Bench, model: Provider
) -> None:
    found = asking(name, "edit")
    path = bench.worktree.path / FILE
    brief = replace(bench.brief, goal=f"Write this file: {path} now.")

    proposal = found.propose(bench.worktree, brief, Deadline.after(_SECONDS), bench.recorder)

    [usage] = bench.budget_gate.usages
    print(f"{name}: {proposal.subject!r}, {usage}, asked {len(model.asked)} times")  # noqa: T201
    assert bench.read(FILE) == CONTENT
    assert proposal.subject in ("Write the file", f"Add {FILE}", f"Change {FILE}")
    assert {key.removeprefix("Bearer ") for key in model.keys} == {_KEY}
    if presets()[name].reports != "nothing":
        assert (usage.tokens or 0) % (INPUT_TOKENS + OUTPUT_TOKENS) == 0
        assert usage.tokens


@each_installed
@pytest.mark.parametrize("scenario", ["key", "credit"])
def test_a_provider_that_refuses_is_named_as_that(
    name: str, scenario: str, asking: Make, bench: Bench
) -> None:
    error = fail(asking(name, scenario, idle_seconds=0), bench)

    assert isinstance(error, ProviderRefused)


@each_installed
@pytest.mark.parametrize("scenario", ["rate", "error"])
def test_a_provider_at_its_limits_is_named_as_that(
    name: str, scenario: str, asking: Make, bench: Bench
) -> None:
    error = fail(asking(name, scenario, idle_seconds=0), bench)

    assert isinstance(error, ProviderUnavailable)


@each_installed
def test_a_provider_that_hangs_is_given_up(name: str, asking: Make, bench: Bench) -> None:
    tells_nothing_on_the_way = not presets()[name].streams
    seconds = 40 if tells_nothing_on_the_way else _SECONDS

    error = fail(asking(name, "hang", idle_seconds=20), bench, seconds)

    assert isinstance(error, TimeLimitReached if tells_nothing_on_the_way else AgentFailed)
