"""What coding agents say of errors, limits and tokens (rows 24 to 28)."""

import io
import json
from contextlib import suppress
from pathlib import Path

import pytest

from loreley.core.agents.presets import presets
from loreley.core.budget import Usage
from loreley.errors import AgentFailed, LoreleyError, ProviderUnavailable
from loreley.host.children import Ending, Outcome
from tests.core.agents.command_agents import Make, failure, proposed
from tests.core.agents.support import Bench
from tests.core.worker.upstream import soon

CHANGE = "open('src/pack.py', 'a').write('# better\\n')\n"


def printed(*events: dict[str, object]) -> str:
    return "".join(f"print({json.dumps(event)!r})\n" for event in events)


def read(name: str, *events: dict[str, object]) -> Usage:
    lines = "".join(f"{json.dumps(event)}\n" for event in events)
    return presets()[name].answer.read(io.BytesIO(lines.encode())).usage


def turn(number: int, sent: int, cached: int = 0) -> dict[str, object]:
    usage = {"input_tokens": sent, "cache_read_input_tokens": cached, "output_tokens": 10}
    return {"type": "assistant", "message": {"id": f"m{number}", "usage": usage}}


@pytest.mark.parametrize("name", ["qwen", "gemini"])
@pytest.mark.parametrize("status", ["401 Incorrect API key", "429 quota", "500 oh"])
def test_row_24_an_error_of_the_provider_in_the_words_of_a_success_is_a_failure(
    name: str, status: str, agent: Make, bench: Bench
) -> None:
    said = f"[API Error: {status}]"
    events: list[dict[str, object]] = [
        {"type": "message", "role": "assistant", "content": said},
        {"type": "result", "status": "success", "is_error": False, "result": said, "usage": {}},
    ]

    found = failure(agent(printed(*events), presets()[name]), bench, kind=LoreleyError)

    assert said in found.summary


@pytest.mark.parametrize("name", ["qwen", "gemini"])
def test_row_24_an_error_behind_the_first_words_is_one(
    name: str, agent: Make, bench: Bench
) -> None:
    said = "I raise the limit.\n\n[API Error: 503 overloaded]"
    events: list[dict[str, object]] = [
        {"type": "message", "role": "assistant", "content": said},
        {"type": "result", "status": "success", "is_error": False, "result": said, "usage": {}},
    ]

    found = failure(agent(printed(*events), presets()[name]), bench, kind=LoreleyError)

    assert "503 overloaded" in found.summary


def test_row_24_goose_says_so_in_words_of_its_own(agent: Make, bench: Bench) -> None:
    said = "Ran into this error: Server error: 500 Internal Server Error at http://x"
    content = [{"type": "text", "text": said}]
    events: list[dict[str, object]] = [
        {"type": "message", "message": {"role": "assistant", "content": content}},
        {"type": "complete", "input_tokens": 0, "output_tokens": 0},
    ]

    found = failure(agent(printed(*events), presets()["goose"]), bench, kind=ProviderUnavailable)

    assert said in found.summary


def test_row_24_words_that_mention_such_an_error_are_no_failure(agent: Make, bench: Bench) -> None:
    said = "Handle [API Error: 401] in the client"
    event: dict[str, object] = {"type": "result", "is_error": False, "result": said}

    assert proposed(agent(CHANGE + printed(event), presets()["qwen"]), bench).subject == said


def test_row_25_what_gemini_thought_is_output() -> None:
    stats = {"total_tokens": 1500, "input_tokens": 1000, "output_tokens": 50, "cached": 100}

    assert read("gemini", {"type": "result", "stats": stats}) == Usage(1000, 500, 100)


@pytest.mark.parametrize("total", [900, None, -5, "many", True, [1500], 1e400])
def test_row_25_a_total_that_cannot_be_takes_nothing_away(total: object) -> None:
    stats = {"total_tokens": total, "input_tokens": 1000, "output_tokens": 50}

    assert read("gemini", {"type": "result", "stats": stats}) == Usage(1000, 50)


@pytest.mark.parametrize("name", ["claude", "qwen"])
def test_row_26_without_an_end_the_usage_of_each_answer_counts_once(name: str) -> None:
    usage = read(name, turn(1, 1000), turn(1, 1000), turn(2, 200, 900))

    cached_too = 900 if name == "claude" else 0
    assert usage == Usage(1200 + cached_too, 20, 900)


def test_row_26_a_line_that_was_cut_off_takes_nothing_away() -> None:
    whole = f"{json.dumps(turn(1, 1000))}\n"
    cut = json.dumps(turn(2, 500))[:-9]

    usage = presets()["claude"].answer.read(io.BytesIO((whole + cut).encode())).usage

    assert usage == Usage(1000, 10)


@pytest.mark.parametrize("message", [None, "x", {}, {"id": "m2"}, {"id": "m2", "usage": [1]}])
def test_row_26_an_answer_without_usage_takes_nothing_away(message: object) -> None:
    assert read("claude", turn(1, 1000), {"type": "assistant", "message": message}) == Usage(
        1000, 10
    )


def test_row_26_the_usage_at_the_end_takes_the_place_of_that_before() -> None:
    end: dict[str, object] = {"type": "result", "usage": {"input_tokens": 7, "output_tokens": 3}}

    assert read("claude", turn(1, 1000), end) == Usage(7, 3)


@pytest.mark.slow
def test_row_26_a_killed_agent_is_billed_for_what_it_told(agent: Make, bench: Bench) -> None:
    body = printed(turn(1, 295_800)) + "sys.stdout.flush()\ntime.sleep(60)"
    found = agent(body, presets()["claude"], idle_seconds=0.5)

    failure(found, bench)

    assert bench.budget_gate.usages == [Usage(295_800, 10)]


def limit_of_turns(kind: str = "error_max_turns") -> str:
    end: dict[str, object] = {"type": "result", "subtype": kind, "is_error": True}
    return printed(end) + "sys.exit(1)"


def test_row_27_what_was_changed_until_the_turn_limit_is_proposed(
    agent: Make, bench: Bench
) -> None:
    proposal = proposed(agent(CHANGE + limit_of_turns(), presets()["claude"]), bench)

    assert proposal.subject == "Change src/pack.py"
    assert "cut off by a limit of its own: error_max_turns" in proposal.summary


@pytest.mark.parametrize(
    ("name", "kind"), [("claude", "error_max_budget_usd"), ("qwen", "error_max_turns")]
)
def test_row_27_other_limits_of_its_own_are_no_failure_either(
    name: str, kind: str, agent: Make, bench: Bench
) -> None:
    proposal = proposed(agent(CHANGE + limit_of_turns(kind), presets()[name]), bench)

    assert f"cut off by a limit of its own: {kind}" in proposal.summary


def test_row_27_an_error_that_is_no_limit_is_a_failure(agent: Make, bench: Bench) -> None:
    body = CHANGE + limit_of_turns("error_during_execution")

    found = failure(agent(body, presets()["claude"]), bench, kind=LoreleyError)

    assert "error_during_execution" in found.summary


def test_row_27_a_turn_limit_without_a_change_is_a_failure(agent: Make, bench: Bench) -> None:
    found = failure(agent(limit_of_turns(), presets()["claude"]), bench, soon(), AgentFailed)

    assert "error_max_turns" in found.summary


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (144, "exit code 144"),
        (129 + 63, "exit code 192"),
        (145, "exit code 145"),
        (139, "ended by SIGSEGV"),
        (137, "ended by SIGKILL"),
        (-16, "ended by SIGSTKFLT"),
        (255, "exit code 255"),
        (128, "exit code 128"),
        (127, "exit code 127"),
        (160, "exit code 160"),
        (134, "ended by SIGABRT"),
    ],
)
def test_row_28_an_exit_code_is_no_signal_that_nobody_sends(code: int, words: str) -> None:
    assert str(Outcome(("x",), Ending.EXITED, code, 1.0)) == words


def test_row_29_an_agent_that_says_nothing_of_its_change_has_a_subject(
    agent: Make, bench: Bench
) -> None:
    event: dict[str, object] = {"type": "result", "is_error": False, "result": "<think>\nHm."}

    proposal = proposed(agent(CHANGE + printed(event), presets()["claude"]), bench)

    assert proposal.subject == "Change src/pack.py"


ECHO = "open('seen.json', 'w').write(json.dumps([dict(os.environ), sys.argv[1:]]))\n"


def seen(name: str, agent: Make, bench: Bench, environ: dict[str, str], **options: object) -> str:
    end: dict[str, object] = {"type": "result", "is_error": False, "status": "success"}
    turn_end: dict[str, object] = {"type": "turn.completed"}
    body = ECHO + printed(end, turn_end)
    proposed(agent(body, presets()[name], environ=environ, **options), bench)
    return (Path(bench.worktree.path) / "seen.json").read_text()


def test_row_22_the_key_of_openai_is_handed_to_codex_as_its_own(agent: Make, bench: Bench) -> None:
    environment, _ = json.loads(seen("codex", agent, bench, {"OPENAI_API_KEY": "k"}))

    assert environment["CODEX_API_KEY"] == "k"


def test_row_22_a_key_of_its_own_wins(agent: Make, bench: Bench) -> None:
    keys = {"OPENAI_API_KEY": "k", "CODEX_API_KEY": "own"}

    environment, _ = json.loads(seen("codex", agent, bench, keys))

    assert environment["CODEX_API_KEY"] == "own"


@pytest.mark.parametrize(
    ("name", "key"),
    [(name, key) for name, preset in presets().items() for key in preset.keys],
)
def test_row_22_each_key_that_is_enough_to_start_reaches_the_program(
    name: str, key: str, agent: Make, bench: Bench
) -> None:
    preset = presets()[name]
    program = agent(ECHO, preset, environ={key: "k"})

    with suppress(LoreleyError):  # what it prints is no answer of this agent
        proposed(program, bench)

    environment, _ = json.loads((bench.worktree.path / "seen.json").read_text())
    assert environment[key] == "k"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("codex", "openai_base_url=http://gate:4000/v1"),
        ("claude", '"ANTHROPIC_BASE_URL": "http://gate:4000"'),
        ("gemini", '"GOOGLE_GEMINI_BASE_URL": "http://gate:4000"'),
        ("qwen", '"OPENAI_BASE_URL": "http://gate:4000/v1"'),
    ],
)
def test_row_23_an_agent_is_told_of_the_gateway_in_its_own_way(
    name: str, told: str, agent: Make, bench: Bench
) -> None:
    text = seen(name, agent, bench, {}, gateway="http://gate:4000")

    assert told in text
    assert '_API_KEY": "none"' in text


def test_row_23_each_preset_but_cursor_can_be_given_a_gateway() -> None:
    assert [name for name, preset in presets().items() if preset.gateway is None] == ["cursor"]
