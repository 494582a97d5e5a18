"""What the settings hand on to a coding agent: a limit of dollars, a gateway, a model."""

import io
import json
from pathlib import Path

import pytest
from loguru import logger

from loreley.config import Settings
from loreley.core.agents.assembly import assemble_agents
from loreley.core.agents.command import CommandAgent
from loreley.core.agents.command_report import CommandReport
from loreley.core.agents.presets import presets
from loreley.core.budget import Usage
from loreley.core.sandbox.sandbox import probe
from loreley.errors import ConfigError
from tests.core.agents.command_agents import CHANGE, Make, proposed, replay
from tests.core.agents.support import Bench, program
from tests.core.agents.transcripts import SUCCESS

ECHO = (
    "found = {p: open(os.path.join(d, p)).read() for d, _, ps in os.walk(os.environ['HOME'])"
    " for p in ps}\n"
    "open('seen.json', 'w').write(json.dumps([sys.argv[1:], dict(os.environ), found]))\n"
)
GATE = "http://gate:4000"


def run(name: str, agent: Make, bench: Bench, **options: object) -> str:
    """Everything that the program of this preset is told."""
    proposed(agent(ECHO + replay(SUCCESS[name]), presets()[name], **options), bench)
    return (Path(bench.worktree.path) / "seen.json").read_text()


def read(name: str, text: str) -> CommandReport:
    return presets()[name].answer.read(io.BytesIO(text.encode()))


@pytest.mark.parametrize(
    ("name", "told"), [("claude", '"--max-budget-usd", "0.25"'), ("mini-swe-agent", '"-l", "0.25"')]
)
def test_the_most_that_a_call_may_cost_is_handed_on(
    name: str, told: str, agent: Make, bench: Bench
) -> None:
    without = run(name, agent, bench)

    assert told in run(name, agent, bench, max_call_dollars=0.25)
    assert told.partition(",")[0] not in without


@pytest.mark.parametrize(("name", "is_warned_of"), [("claude", False), ("qwen", True)])
def test_an_agent_that_knows_no_limit_of_dollars_is_a_warning(
    name: str, is_warned_of: bool, tmp_path: Path
) -> None:
    preset = presets()[name]
    program(tmp_path / "bin" / preset.program, f"print('1.0', {' '.join(preset.flags)!r})")
    said: list[str] = []
    sink = logger.add(said.append, level="WARNING", format="{message}")
    settings = Settings(worker_agent=[name], worker_agent_max_call_dollars=0.25)

    found = assemble_agents(
        settings, probe(), {"PATH": str(tmp_path / "bin"), preset.keys[0]: "key"}
    )
    logger.remove(sink)

    assert isinstance(found, CommandAgent)
    assert found.process.options.max_call_dollars == 0.25
    assert any("WORKER_AGENT_MAX_CALL_DOLLARS" in line for line in said) is is_warned_of


WITH_GATEWAY = [name for name, preset in presets().items() if preset.gateway]


@pytest.mark.parametrize("name", WITH_GATEWAY)
def test_each_agent_is_told_of_the_gateway_and_of_the_model(
    name: str, agent: Make, bench: Bench
) -> None:
    gateway = presets()[name].gateway
    assert gateway is not None

    told = run(name, agent, bench, gateway=GATE, model="tiny", environ={gateway.key: "sk-own"})

    assert GATE in told
    assert "tiny" in told
    assert json.loads(told)[1][gateway.key] == "sk-own"
    assert "{url}" not in told
    assert "{model}" not in told


@pytest.mark.parametrize("name", WITH_GATEWAY)
def test_a_gateway_leaves_no_file_of_its_own_where_none_is_set(
    name: str, agent: Make, bench: Bench
) -> None:
    files = json.loads(run(name, agent, bench, model="tiny"))[2]

    assert sorted(files.values()) == sorted(presets()[name].files.values())


def test_a_home_of_the_operators_own_is_left_as_it_is(
    agent: Make, bench: Bench, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()

    run("qwen", agent, bench, home=home)

    assert list(home.iterdir()) == []


@pytest.mark.parametrize("name", ["kimi", "droid", "continue", "cline"])
def test_an_agent_that_cannot_ask_a_gateway_without_a_model_is_refused(
    name: str, tmp_path: Path
) -> None:
    preset = presets()[name]
    program(tmp_path / "bin" / preset.program, f"print('1.0', {' '.join(preset.flags)!r})")

    with pytest.raises(ConfigError, match=f"WORKER_AGENT_MODELS={name}:<model>"):
        assemble_agents(
            Settings(worker_agent=[name], worker_agent_gateway=GATE),
            probe(),
            {"PATH": str(tmp_path / "bin")},
        )


def test_an_error_that_says_nothing_leaves_the_one_before_it() -> None:
    report = read(
        "droid",
        '{"type":"error","source":"agent_loop","message":"401 Incorrect API key"}\n'
        '{"type":"error","source":"cli","message":"Exec failed"}\n',
    )

    assert report.error == "401 Incorrect API key"


STEP = "mini-swe-agent (step {}, ${}):\n```\nls\n```\n"


def test_dollars_that_each_line_adds_up_count_once() -> None:
    text = STEP.format(1, "0.01") + STEP.format(2, "0.04") + "Exit:\nfine\n"

    report = read("mini-swe-agent", text)

    assert (report.ended, report.usage) == (True, Usage(dollars=0.04))


def test_dollars_of_a_model_whose_price_is_not_known_are_none() -> None:
    report = read("mini-swe-agent", STEP.format(1, "0.00"))

    assert report.usage == Usage()


def test_an_agent_at_its_limit_of_dollars_is_cut_off(agent: Make, bench: Bench) -> None:
    said = STEP.format(1, "3.01") + "Exit:\nLimitsExceeded\n"
    body = f"{CHANGE}print({said!r})"

    proposal = proposed(agent(body, presets()["mini-swe-agent"]), bench)

    assert "cut off by a limit of its own: LimitsExceeded" in proposal.summary


def test_an_agent_that_gives_up_with_exit_code_0_has_failed() -> None:
    text = STEP.format(1, "0.01") + "Exit:\nRepeatedFormatError\n"

    report = read("mini-swe-agent", text)

    assert (report.failed, report.error) == (True, "RepeatedFormatError")
