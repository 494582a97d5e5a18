"""Coding agents as child processes: stubs that behave as the real ones were seen to."""

from dataclasses import replace
from pathlib import Path

import pytest

from loreley.core.agents.presets import presets
from loreley.core.budget import Tariff, Usage
from loreley.core.sandbox.sandbox import Level, Sandbox, probe
from loreley.errors import (
    HostTrouble,
    JobInterrupted,
    ProviderRefused,
    TimeLimitReached,
)
from loreley.host.deadline import Deadline, Stop
from tests.core.agents.command_agents import CHANGE, OWN, Make, failure, proposed, replay
from tests.core.agents.support import Bench
from tests.core.agents.transcripts import NOT_LOGGED_IN, SUCCESS
from tests.core.worker.upstream import soon
from tests.support import eventually


@pytest.mark.parametrize("name", sorted(SUCCESS))
def test_what_each_agent_says_of_a_success_is_understood(
    name: str, agent: Make, bench: Bench
) -> None:
    proposal = proposed(agent(CHANGE + replay(SUCCESS[name]), presets()[name]), bench)

    assert proposal.subject == "Sort it."
    assert "better = True" in bench.read("src/pack.py")
    assert bench.budget_gate.usages == [SUCCESS[name].usage]
    assert "Make it better." in bench.kept("prompt.md")
    assert "Sort it." in bench.kept("agent.log")


@pytest.mark.parametrize("name", sorted(NOT_LOGGED_IN))
def test_a_missing_login_is_reported_in_the_agents_own_words(
    name: str, agent: Make, bench: Bench
) -> None:
    found = agent(replay(NOT_LOGGED_IN[name]), presets()[name])

    error = failure(found, bench, kind=ProviderRefused)

    assert NOT_LOGGED_IN[name].says in error.summary


def test_every_preset_has_a_transcript() -> None:
    assert set(SUCCESS) == set(presets())


@pytest.mark.parametrize("name", sorted(presets()))
def test_a_preset_hands_over_the_prompt_once(name: str, agent: Make, bench: Bench) -> None:
    body = (
        "import re\n"
        "told = sys.stdin.read() + ' '.join(sys.argv)\n"
        "told += ''.join(open(path).read() for path in re.findall(r'/\\S+prompt[.]md', told))\n"
        "open('seen.txt', 'w').write(told)\n"
    )
    agent_found = agent(body + replay(SUCCESS[name]), presets()[name])

    proposed(agent_found, bench)

    assert bench.read("seen.txt").count("Make it better.") == 1


def test_the_model_and_further_arguments_are_passed(agent: Make, bench: Bench) -> None:
    body = "open('seen.txt', 'w').write(json.dumps(sys.argv[1:]))\n" + replay(SUCCESS["codex"])
    found = agent(body, presets()["codex"], model="gpt-5", arguments=("-c", "a=b c"))

    proposed(found, bench)

    seen = bench.read("seen.txt")
    assert '"-m", "gpt-5", "-c", "a=b c", "-"' in seen
    assert "{" not in seen


def test_codex_is_given_the_level_of_the_sandbox_around_it(agent: Make, bench: Bench) -> None:
    body = "open('seen.txt', 'w').write(' '.join(sys.argv))\n" + replay(SUCCESS["codex"])
    weak = Sandbox(Level.LIMITS, probe().tools)

    proposed(agent(body, presets()["codex"]), bench)
    inside = bench.read("seen.txt")
    proposed(agent(body, presets()["codex"], sandbox=weak), bench)

    assert "-s danger-full-access" in inside
    assert "-s workspace-write" in bench.read("seen.txt")


def test_an_error_with_exit_code_0_is_an_error(agent: Make, bench: Bench) -> None:
    seen = replace(NOT_LOGGED_IN["claude"], exit_code=0)

    found = agent(CHANGE + replay(seen), presets()["claude"])

    error = failure(found, bench, kind=ProviderRefused)

    assert "Not logged in" in error.summary


def test_a_success_with_another_exit_code_counts_when_something_changed(
    agent: Make, bench: Bench
) -> None:
    seen = replace(SUCCESS["claude"], exit_code=3)

    assert proposed(agent(CHANGE + replay(seen), presets()["claude"]), bench)


def test_a_success_with_another_exit_code_and_no_change_is_a_failure(
    agent: Make, bench: Bench
) -> None:
    seen = replace(SUCCESS["claude"], exit_code=3)

    assert "exit code 3" in failure(agent(replay(seen), presets()["claude"]), bench).summary


def test_an_end_that_nobody_told_of_is_a_failure(agent: Make, bench: Bench) -> None:
    error = failure(agent(CHANGE + "print('what a fine day')", presets()["claude"]), bench)

    assert "unexpected format" in error.summary
    assert "what a fine day" in error.summary


@pytest.mark.parametrize(
    "said",
    [
        "error: unexpected argument '--ephemeral' found",
        "error: unknown option '--strict-mcp-config'",
        "Unknown arguments: skip-trust, skipTrust",
        "usage: aider [-h] [--model MODEL]\naider: error: unrecognized arguments: --no-pretty",
        "opencode run [message..]\n\nOptions:\n  -h, --help         show help",
    ],
)
def test_a_flag_that_is_gone_after_an_upgrade_is_reported_as_that(
    said: str, agent: Make, bench: Bench
) -> None:
    body = f"sys.stderr.write({said!r} + chr(10)); sys.exit(2)"

    error = failure(agent(body, presets()["codex"]), bench, kind=HostTrouble)

    assert "does not know a flag" in error.summary
    assert presets()["codex"].seen in error.summary
    assert "npm install" in error.problems[0].fix


@pytest.mark.slow
def test_an_agent_that_hangs_is_killed_at_its_time_limit_with_what_it_started(
    agent: Make, bench: Bench, tmp_path: Path
) -> None:
    body = (
        "print('thinking', flush=True)\n"
        "subprocess.Popen(['sleep', '61.5'], start_new_session=True)\n"
        "time.sleep(60)\n"
    )
    with pytest.raises(TimeLimitReached) as raised:
        proposed(agent(body), bench, Deadline.after(1.0))

    assert raised.value.problems[0].setting == "WORKER_AGENT_TIMEOUT_SECONDS"
    assert "thinking" in raised.value.log
    assert "thinking" in bench.kept("agent.log")
    eventually(lambda: not _running("61.5"))


def _running(word: str) -> bool:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes())
        except OSError:
            continue
    return any(word.encode() in each for each in found)


@pytest.mark.slow
def test_a_silent_agent_is_killed_where_silence_means_something(agent: Make, bench: Bench) -> None:
    body = f"print({SUCCESS['claude'].stdout.splitlines()[0]!r}, flush=True); time.sleep(60)"

    error = failure(agent(body, presets()["claude"], idle_seconds=0.5), bench)

    assert "fell silent" in error.summary
    assert error.problems[0].setting == "WORKER_AGENT_IDLE_SECONDS"


@pytest.mark.slow
def test_an_agent_that_tells_nothing_on_the_way_may_be_silent(agent: Make, bench: Bench) -> None:
    body = CHANGE + "time.sleep(1)\n" + replay(SUCCESS["aider"])

    assert proposed(agent(body, presets()["aider"], idle_seconds=0.3), bench)


def test_a_stop_ends_the_agent_and_its_cost_stays_unknown(agent: Make, bench: Bench) -> None:
    stop = Stop()
    stop.ask(JobInterrupted("stopping"))

    with pytest.raises(JobInterrupted):
        proposed(agent("time.sleep(60)"), bench, Deadline.after(30, stop))

    assert bench.budget_gate.usages == [Usage()]


@pytest.mark.slow
def test_a_flood_is_cut_off_and_kept_in_part(agent: Make, bench: Bench) -> None:
    body = "while True: sys.stdout.write('x' * 100_000)"

    error = failure(agent(body), bench)

    assert "SIGXFSZ" in error.summary or "File too large" in error.summary
    assert len(bench.kept("agent.log")) < 1_000_000


def test_the_operators_price_is_applied_to_reported_tokens(agent: Make, bench: Bench) -> None:
    found = agent(replay(SUCCESS["codex"]), presets()["codex"], tariff=Tariff(1.0, 10.0, 0.1))

    proposed(found, bench)

    [usage] = bench.budget_gate.usages
    assert usage.dollars == pytest.approx((900 * 1 + 100 * 0.1 + 50 * 10) / 1e6)


def test_a_budget_in_dollars_needs_a_price(agent: Make, bench: Bench) -> None:
    bench.budget_gate.dollars = True

    error = failure(agent(CHANGE + replay(SUCCESS["codex"]), presets()["codex"]), bench)

    assert "price" in error.summary
    assert "WORKER_AGENT_PRICES" in error.problems[0].setting
    assert "better" not in bench.read("src/pack.py")


def test_an_own_command_is_filled_in(agent: Make, bench: Bench) -> None:
    words = ("--dir={worktree}", "--text={prompt}", "{scratch}/x")
    preset = replace(OWN, arguments=words)

    proposed(agent("open('seen.txt', 'w').write(json.dumps(sys.argv[1:]))", preset), bench)

    seen = bench.read("seen.txt")
    assert f'"--dir={bench.worktree.path}"' in seen
    assert "Make it better." in seen
    assert '/agent/x"' in seen


def test_braces_in_the_prompt_are_not_filled_in(agent: Make, bench: Bench) -> None:
    preset = replace(OWN, arguments=("{prompt}",))
    found = agent("open('seen.txt', 'w').write(sys.argv[1])", preset)
    brief = replace(bench.brief, goal="Use {worktree} and {prompt}.")

    found.propose(bench.worktree, brief, soon(), bench.recorder)

    assert "Use {worktree} and {prompt}." in bench.read("seen.txt")


def test_an_own_command_that_fails_is_reported_with_what_it_printed(
    agent: Make, bench: Bench
) -> None:
    error = failure(agent("print('no such luck'); sys.exit(4)"), bench)

    assert "exit code 4: no such luck" in error.summary


@pytest.mark.slow
def test_an_agent_that_waits_for_a_person_is_reported_in_its_own_words(
    agent: Make, bench: Bench
) -> None:
    said = "No LLM model was specified and no API keys were provided."
    body = f"print({said!r}, flush=True); print('Waiting for you ...', flush=True); time.sleep(60)"

    error = failure(agent(body, presets()["aider"]), bench, Deadline.after(1.0), TimeLimitReached)

    assert said in error.summary
