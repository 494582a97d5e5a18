"""What a chat agent does with answers that are none, and with models that take less (rows 2, 9)."""

from dataclasses import replace

import pytest

from loreley.core.agents.chat.agent import ChatAgent
from loreley.core.agents.prompts import Prompter
from loreley.core.budget import Tariff
from loreley.core.endpoints.chat import ChatEndpoint
from loreley.errors import AgentFailed, BriefTooLong
from tests.core.agents.chat_server import ChatServer, Response, chat_server, refuses, says, streams
from tests.core.agents.support import Bench
from tests.core.worker.upstream import soon

pytestmark = pytest.mark.slow  # importing the client takes more than a second

FILE = "src/extra.py\n```\nEXTRA = True\n```\n"
TOO_LONG = "This model's maximum context length is 1000 tokens, but you sent 2000 tokens."


@pytest.fixture
def server():  # type: ignore[no-untyped-def]
    with chat_server() as found:
        yield found


def propose(server: ChatServer, bench: Bench) -> str:
    agent = ChatAgent(
        "chat", ChatEndpoint("stub", server.url), Prompter.from_file(None, 65536), Tariff()
    )
    return agent.propose(bench.worktree, bench.brief, soon(), bench.recorder).subject


def thoughts(finish: str = "stop") -> Response:
    message = {"role": "assistant", "content": "", "reasoning_content": FILE}
    return Response({"choices": [{"message": message, "finish_reason": finish}]})


def test_row_2_an_answer_that_is_only_reasoning_is_asked_for_again(
    server: ChatServer, bench: Bench
) -> None:
    server.responses = [thoughts(), says(FILE)]

    propose(server, bench)

    assert "nothing but thoughts" in server.prompt(1)
    assert bench.read("src/extra.py") == "EXTRA = True\n"


def test_row_2_reasoning_that_was_cut_off_names_the_setting(
    server: ChatServer, bench: Bench
) -> None:
    server.responses = [thoughts("length")]

    with pytest.raises(AgentFailed, match="nothing but thoughts") as raised:
        propose(server, bench)

    assert raised.value.problems[0].setting == "WORKER_CHAT_MAX_OUTPUT_TOKENS"


def test_row_2_an_answer_that_only_calls_tools_is_asked_for_again(
    server: ChatServer, bench: Bench
) -> None:
    call = 'data: {"choices": [{"delta": {"tool_calls": [{"index": 0}]}}]}\n\n'
    ended = streams(finish="tool_calls")
    server.responses = [replace(ended, pieces=[call, *ended.pieces]), streams(FILE)]

    propose(server, bench)

    assert "no tools to call" in server.prompt(1)


def test_row_2_a_refusal_ends_in_the_words_of_the_model(server: ChatServer, bench: Bench) -> None:
    message = {"role": "assistant", "content": None, "refusal": "I will not do that."}
    server.responses = [Response({"choices": [{"message": message, "finish_reason": "stop"}]})]

    with pytest.raises(AgentFailed, match="I will not do that"):
        propose(server, bench)

    assert len(server.requests) == 2


def test_row_9_a_brief_that_is_too_long_is_shortened_once(server: ChatServer, bench: Bench) -> None:
    (bench.worktree.path / "src" / "pack.py").write_text("# a line of code\n" * 500)
    server.responses = [refuses(400, TOO_LONG, "context_length_exceeded"), says(FILE)]

    propose(server, bench)

    assert len(server.prompt(1)) < 0.5 * len(server.prompt(0))
    assert bench.kept("prompt.md").endswith(server.prompt(1))


def test_row_9_a_brief_that_stays_too_long_names_the_setting(
    server: ChatServer, bench: Bench
) -> None:
    server.responses = [refuses(400, TOO_LONG)]

    with pytest.raises(BriefTooLong) as raised:
        propose(server, bench)

    assert raised.value.problems[0].setting == "WORKER_BRIEF_MAX_KB"
    assert "WORKER_BRIEF_MAX_KB" in raised.value.problems[0].fix
    assert len(server.requests) == 2


def test_row_29_a_subject_that_says_nothing_is_made_from_the_change(
    server: ChatServer, bench: Bench
) -> None:
    server.responses = [says(f"Sure, here are the edits:\n\n{FILE}")]

    assert propose(server, bench) == "Add src/extra.py"


def test_row_3_a_file_that_was_shown_in_parts_is_not_written_anew(
    server: ChatServer, bench: Bench
) -> None:
    old = "".join(f"def step_{n}():\n" + f"    return {n}\n" * 20 for n in range(400))
    (bench.worktree.path / "src/pack.py").write_text(old)
    head = "def step_7():\n"
    anew = f"src/pack.py\n```\nimport os\n{old[: len(old) * 2 // 3]}```\n"
    quoted = (
        f"src/pack.py\n```\n<<<<<<< SEARCH\n{head}=======\ndef step_seven():\n>>>>>>> REPLACE\n```"
    )
    server.responses = [says(anew), says(quoted)]

    propose(server, bench)

    assert "src/pack.py, lines " in server.prompt()
    assert "you were shown parts of this file only" in server.prompt(1)
    assert bench.read("src/pack.py") == old.replace(head, "def step_seven():\n")
