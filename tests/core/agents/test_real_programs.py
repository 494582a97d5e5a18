"""The real coding agents, where REAL_AGENTS_PATH names folders in which they are installed.

They need no key and no network beyond loopback: it is tried how they are called, how they fail
without a login, and, for those that can be given another endpoint, that what they do counts.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loreley.core.agents.command import CommandAgent
from loreley.core.agents.command_process import CommandOptions, CommandProcess
from loreley.core.agents.presets import presets
from loreley.core.agents.probing import probe as probe_program
from loreley.core.agents.programs import find_program
from loreley.core.agents.prompts import Prompter
from loreley.core.budget import Tariff
from loreley.core.sandbox.sandbox import probe
from loreley.errors import HostTrouble, LoreleyError
from loreley.host.deadline import Deadline
from tests.core.agents.model_server import DONE, model_server
from tests.core.agents.support import Bench

_PATH = os.environ.get("REAL_AGENTS_PATH", "")
_SEARCH = os.pathsep.join([_PATH, os.environ.get("PATH", "")])
_INSTALLED = [name for name in sorted(presets()) if find_program(presets()[name].program, _PATH)]

pytestmark = [
    pytest.mark.slow,
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
def model() -> Iterator[str]:
    with model_server() as url:
        yield url


@each_installed
def test_it_has_the_flags_of_its_preset(name: str) -> None:
    preset = presets()[name]
    program = find_program(preset.program, _SEARCH)
    assert program is not None

    answer = probe_program(preset, program, {"PATH": _SEARCH})

    assert answer.missing_flags == ()
    assert answer.version


@each_installed
@pytest.mark.timeout(120)
def test_without_a_login_it_fails_and_says_why(name: str, agent: Make, bench: Bench) -> None:
    found = agent(name, network=False, idle_seconds=20)

    with pytest.raises(LoreleyError) as raised:
        found.propose(bench.worktree, bench.brief, Deadline.after(45), bench.recorder)

    assert len(raised.value.problems[0].reason) > len("exit code 1: ")
    assert not bench.worktree.patch(1000)


@each_installed
@pytest.mark.timeout(120)
def test_a_flag_it_does_not_know_is_reported_as_that(name: str, agent: Make, bench: Bench) -> None:
    found = agent(name, network=False, arguments=("--no-such-flag-at-all",), idle_seconds=20)

    with pytest.raises(HostTrouble, match="does not know a flag"):
        found.propose(bench.worktree, bench.brief, Deadline.after(45), bench.recorder)


@pytest.mark.parametrize("name", [name for name in _INSTALLED if name in ("claude", "aider")])
@pytest.mark.timeout(120)
def test_what_it_writes_is_what_it_proposes(
    name: str, agent: Make, bench: Bench, model: str
) -> None:
    environ = {
        "claude": {"ANTHROPIC_API_KEY": "none", "ANTHROPIC_BASE_URL": model},
        "aider": {"OPENAI_API_KEY": "none", "OPENAI_API_BASE": f"{model}/v1"},
    }[name]
    found = agent(name, environ, model="openai/stub" if name == "aider" else "")
    path: Path = bench.worktree.path / "written.py"
    brief = replace(bench.brief, goal=f"Write this file: {path} now.")

    proposal = found.propose(bench.worktree, brief, Deadline.after(90), bench.recorder)

    assert proposal.subject == {"claude": DONE, "aider": "Add written.py"}[name]
    assert bench.read("written.py") == "written = True\n"
    [usage] = bench.budget_gate.usages
    assert (usage.tokens or 0) >= 1050
