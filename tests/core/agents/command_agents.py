"""Command agents whose programs are scripts of a test."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loreley.core.agents.command import CommandAgent
from loreley.core.agents.command_process import CommandOptions, CommandProcess
from loreley.core.agents.command_report import TextOutput
from loreley.core.agents.presets import Preset
from loreley.core.agents.programs import find_program
from loreley.core.agents.prompts import Prompter
from loreley.core.agents.protocol import Proposal
from loreley.core.budget import Tariff
from loreley.core.sandbox.sandbox import Sandbox, probe
from loreley.errors import AgentFailed, LoreleyError
from loreley.host.deadline import Deadline
from tests.core.agents.support import Bench, program
from tests.core.agents.transcripts import Seen
from tests.core.worker.upstream import soon

CHANGE = "open('src/pack.py', 'a').write('better = True\\n')\n"
PROMPT = "sys.stdin.read()\n"
OWN = Preset("command", "?", (), TextOutput(), needs="nothing")


Make = Callable[..., CommandAgent]


def replay(seen: Seen) -> str:
    return (
        f"sys.stdout.write({seen.stdout!r}); sys.stderr.write({seen.stderr!r})\n"
        f"sys.exit({seen.exit_code})\n"
    )


def agent_maker(tmp_path: Path) -> Make:
    """A function that makes an agent of a preset, with a script as its program."""

    def make(
        body: str,
        preset: Preset = OWN,
        *,
        sandbox: Sandbox | None = None,
        environ: dict[str, str] | None = None,
        tariff: Tariff | None = None,
        **options: object,
    ) -> CommandAgent:
        script = program(tmp_path / "bin" / preset.name, body)
        found = find_program(str(script), "")
        assert found is not None
        process = CommandProcess(
            replace(preset, program=str(script)),
            found,
            CommandOptions(**options),  # type: ignore[arg-type]
            sandbox or probe(),
            {"PATH": "/usr/bin:/bin", **(environ or {})},
        )
        prompter = Prompter.from_file(None, 64 * 1024)
        return CommandAgent(preset.name, process, prompter, tariff or Tariff())

    return make


def proposed(agent: CommandAgent, bench: Bench, deadline: Deadline | None = None) -> Proposal:
    return agent.propose(bench.worktree, bench.brief, deadline or soon(), bench.recorder)


def failure(
    agent: CommandAgent,
    bench: Bench,
    deadline: Deadline | None = None,
    kind: type[LoreleyError] = AgentFailed,
) -> Any:
    with pytest.raises(kind) as raised:
        proposed(agent, bench, deadline)
    return raised.value
