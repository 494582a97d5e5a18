"""Whose fault it is when an agent's program fails: its answer's, its provider's or the host's."""

import io
from dataclasses import replace
from pathlib import Path

import pytest

from loreley.core.agents.presets import presets
from loreley.core.sandbox.sandbox import probe
from loreley.errors import AgentFailed, HostTrouble, ProviderRefused, ProviderUnavailable
from loreley.host.deadline import Deadline
from tests.core.agents.command_agents import Make, agent_maker, proposed
from tests.core.agents.support import Bench


@pytest.fixture
def agent(tmp_path: Path) -> Make:
    return agent_maker(tmp_path)


def fails(words: str, code: int = 1) -> str:
    return f"sys.exit(print({words!r}, file=sys.stderr) or {code})\n"


@pytest.mark.parametrize(
    "words", ["error: 401 invalid x-api-key", "Credit balance is too low", "unknown model 'x'"]
)
def test_what_a_provider_refuses_is_its_fault(words: str, agent: Make, bench: Bench) -> None:
    with pytest.raises(ProviderRefused, match=words) as raised:
        proposed(agent(fails(words)), bench)

    assert raised.value.fix


def test_a_limit_of_days_is_told_with_its_end(agent: Make, bench: Bench) -> None:
    words = "error: usage limit reached, try again in 3 days"

    with pytest.raises(ProviderUnavailable, match="3 days") as raised:
        proposed(agent(fails(words)), bench)

    assert raised.value.wait_seconds == 3 * 86_400


def test_a_program_that_cannot_be_started_is_the_hosts_fault(agent: Make, bench: Bench) -> None:
    with pytest.raises(HostTrouble, match="cannot be started"):
        proposed(agent(fails("env: 'node': No such file or directory", 127)), bench)


def test_a_program_that_gives_up_is_an_answer(agent: Make, bench: Bench) -> None:
    with pytest.raises(AgentFailed, match="the tests do not pass"):
        proposed(agent(fails("error: the tests do not pass")), bench)


def test_row_31_an_agent_that_writes_too_much_is_killed_and_billed(
    agent: Make, bench: Bench
) -> None:
    body = """
os.mkdir("deep")
for number in range(60):
    open(f"deep/{number}", "wb").write(bytes(2**19))
time.sleep(60)
"""
    sandbox = replace(probe(), disk_bytes=8 * 2**20)

    with pytest.raises(AgentFailed, match="wrote too much to the disk") as raised:
        proposed(agent(body, sandbox=sandbox), bench)

    assert raised.value.problems[0].setting == "WORKER_SANDBOX_MAX_DISK_MB"
    assert len(bench.budget_gate.usages) == 1


RETRY = (
    '{"type":"system","subtype":"api_retry","attempt":3,"error_status":429,"error":"rate_limit"}\n'
)


@pytest.mark.slow
@pytest.mark.parametrize("idle_seconds", [0.5, 0.0])
def test_an_agent_that_is_killed_while_its_provider_refuses_is_no_failure_of_the_job(
    idle_seconds: float, agent: Make, bench: Bench
) -> None:
    body = f"sys.stdout.write({RETRY!r}); sys.stdout.flush(); time.sleep(60)"
    found = agent(body, presets()["claude"], idle_seconds=idle_seconds)

    with pytest.raises(ProviderUnavailable, match="rate_limit"):
        proposed(found, bench, Deadline.after(1.5))


def test_a_refusal_that_was_got_over_is_not_the_last_word() -> None:
    answered = '{"type":"assistant","message":{"id":"m1"}}\n'

    def read(text: str) -> str:
        return presets()["claude"].answer.read(io.BytesIO(text.encode())).last_error

    assert read(RETRY) == "rate_limit"
    assert read(RETRY + answered) == ""


def test_words_in_a_frame_are_read_without_it(agent: Make, bench: Bench) -> None:
    frame = (
        "Usage: mini [OPTIONS]\n╭─ Error ──────╮\n│ No such option: --yolo │\n╰──────────────╯\n"
    )
    body = f"sys.stderr.write({frame!r}); sys.exit(2)"

    with pytest.raises(HostTrouble, match="No such option: --yolo"):
        proposed(agent(body, presets()["mini-swe-agent"]), bench)
