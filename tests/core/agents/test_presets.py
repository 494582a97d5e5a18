"""Presets of the operator's own, beside and in place of those of the package."""

from pathlib import Path

import pytest

from loreley.config import Settings, load_settings
from loreley.core.agents.assembly import assemble_agents
from loreley.core.agents.command import CommandAgent
from loreley.core.agents.command_report import TextOutput
from loreley.core.agents.presets import Preset, presets
from loreley.core.agents.prices import require_prices
from loreley.core.sandbox.sandbox import Level, Sandbox
from loreley.core.sandbox.tools import Tools
from loreley.errors import ConfigError
from tests.core.agents.support import program

SANDBOX = Sandbox(Level.LIMITS, Tools("/bin/sh"))
OWN = """
[mine]
program = "mine"
arguments = ["--do", "{prompt}", "{arguments}"]
keys = ["MINE_KEY"]
answer = { error_line = "^E: " }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "presets.toml"


def read(file: Path, text: str) -> dict[str, Preset]:
    file.write_text(text)
    return dict(presets(str(file)))


def test_a_preset_of_ones_own_stands_beside_those_of_the_package(file: Path) -> None:
    found = read(file, OWN)

    assert found.keys() - presets().keys() == {"mine"}
    assert found["mine"].answer == TextOutput(error_line="^E: ")
    assert found["claude"] == presets()["claude"]


def test_a_preset_of_the_package_is_changed_word_by_word(file: Path) -> None:
    found = read(file, "[claude]\nprogram = '/opt/claude'\nenvironment = {}\n")["claude"]

    assert (found.program, found.environment) == ("/opt/claude", {})
    assert found.arguments == presets()["claude"].arguments


def test_a_preset_may_begin_as_another(file: Path) -> None:
    found = read(file, "[work]\nextends = 'codex'\nkeys = ['WORK_KEY']\n")

    assert (found["work"].name, found["work"].keys) == ("work", ("WORK_KEY",))
    assert found["work"].arguments == found["codex"].arguments
    assert found["codex"] == presets()["codex"]


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("[claude]\nargumnets = []", "[claude] argumnets", "no such word"),
        ("[claude]\nflags = '--print'", "[claude] flags", "no list"),
        ("[claude]\nkeys = [3]", "[claude] keys.0", "no text"),
        ("[claude]\nneeds = 'luck'", "[claude] needs", "'key', 'model' or 'nothing'"),
        ("[claude]\ngateway = { urls = 1 }", "[claude] gateway.urls", "no such word"),
        ("[claude]\nanswer = 3", "[claude] answer", "no table"),
        ("[claude.answer]\nend = {}\nend_lines = ''", "[claude] answer.end_lines", "no such word"),
        ("[claude.answer]\nend_line = '('", "[claude] answer.end_line", "no regular expression"),
        ("[new]\narguments = []\nanswer = { end = {} }", "[new] program", "missing"),
        ("[new]\nprogram = 'x'\narguments = []\nanswer = {}", "[new] answer.end", "missing"),
    ],
)
def test_a_flaw_is_reported_with_file_preset_and_word(
    text: str, place: str, reason: str, file: Path
) -> None:
    with pytest.raises(ConfigError) as raised:
        read(file, text)

    problem = raised.value.problems[0]
    assert problem.what.endswith(f": {place}")
    assert reason in problem.reason
    assert (problem.setting, problem.target) == ("WORKER_AGENT_PRESETS", str(file))


def test_every_flaw_is_reported_at_once(file: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        read(file, "[claude]\nflag = []\nkey = []\n[codex]\nprogram = 3\n")

    assert len(raised.value.problems) == 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[claude", "is no TOML: Expected ']' at the end of a table declaration"),
        ("claude = 3", "'claude' stands outside of a table such as [claude]"),
        ("[chat]\n", "[chat] is no name for an agent"),
        ("['a b']\n", "[a b] is no name for an agent"),
        ("[x]\nextends = 'clude'", "[x] extends: 'clude' is none of aider, claude"),
        (b"\xff", "is no TOML"),
        (None, "No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_read_is_reported_before_anything_begins(
    text: str | bytes | None, reason: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    monkeypatch.setenv("WORKER_AGENT_PRESETS", str(file))
    monkeypatch.setenv("WORKER_AGENT", "mine")  # which is one of the file, perhaps

    with pytest.raises(ConfigError) as raised:
        load_settings()

    [problem] = [each for each in raised.value.problems if "PRESETS" in each.setting]
    assert reason in problem.reason
    assert str(file) in problem.reason


def test_a_preset_of_ones_own_is_assembled_and_named_like_any_other(
    file: Path, tmp_path: Path
) -> None:
    file.write_text(OWN)
    program(tmp_path / "bin" / "mine", "")
    environ = {"PATH": str(tmp_path / "bin"), "MINE_KEY": "key"}
    settings = Settings(
        worker_agent_presets=str(file),
        worker_agent=["mine:2", "genetic"],
        worker_agent_arguments=["mine:--more"],
    )

    alone = settings.model_copy(update={"worker_agent": ["mine"]})
    found = assemble_agents(alone, SANDBOX, environ)

    assert isinstance(found, CommandAgent)
    assert (found.name, found.process.options.arguments) == ("mine", ("--more",))
    assert settings.agent_weights == {"mine": 2.0, "genetic": 1.0}


def test_the_price_of_a_preset_of_ones_own_is_asked_for(file: Path) -> None:
    file.write_text(OWN)
    settings = Settings(
        worker_agent_presets=str(file), worker_agent=["mine"], scheduler_budget_dollars=5
    )

    with pytest.raises(ConfigError, match="the price of mine's calls"):
        require_prices(settings)


def test_a_program_that_is_missing_is_reported_with_where_it_is_named(
    file: Path, tmp_path: Path
) -> None:
    file.write_text(OWN)
    settings = Settings(worker_agent_presets=str(file), worker_agent=["mine"])

    with pytest.raises(ConfigError, match=r"\[mine\] in the file of WORKER_AGENT_PRESETS"):
        assemble_agents(settings, SANDBOX, {"PATH": str(tmp_path)})
