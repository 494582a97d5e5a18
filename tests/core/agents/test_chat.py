"""A chat model as an agent, with a stand-in for its endpoint on loopback."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from loreley.core.agents.chat.agent import ChatAgent
from loreley.core.agents.prompts import Prompter
from loreley.core.agents.protocol import Proposal
from loreley.core.budget import Tariff, Usage
from loreley.core.endpoints.chat import ChatEndpoint
from loreley.errors import (
    AgentFailed,
    ServiceUnavailable,
)
from loreley.host.deadline import Deadline
from tests.core.agents.chat_server import ChatServer, chat_server, says
from tests.core.agents.support import Bench
from tests.core.worker.upstream import soon

pytestmark = pytest.mark.slow  # importing the client takes more than a second

EDIT = """Make the packing better.

src/pack.py
```python
<<<<<<< SEARCH
{old}
=======
{new}
>>>>>>> REPLACE
```
"""
NEW_FILE = "src/extra.py\n```\nEXTRA = True\n```\n"


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server() as found:
        yield found


def agent(server: ChatServer, tariff: Tariff | None = None, **options: object) -> ChatAgent:
    endpoint = ChatEndpoint("stub", server.url, **options)  # type: ignore[arg-type]
    prompter = Prompter.from_file(None, 64 * 1024)
    return ChatAgent("chat", endpoint, prompter, tariff or Tariff())


def proposed(found: ChatAgent, bench: Bench, deadline: Deadline | None = None) -> Proposal:
    return found.propose(bench.worktree, bench.brief, deadline or soon(), bench.recorder)


def first_line(bench: Bench) -> str:
    return bench.read("src/pack.py").splitlines()[0]


def edit(bench: Bench, new: str = "BETTER = True") -> str:
    return EDIT.format(old=first_line(bench), new=new)


def test_edits_and_whole_files_are_applied(server: ChatServer, bench: Bench) -> None:
    server.responses = [says(edit(bench) + NEW_FILE)]

    proposal = proposed(agent(server), bench)

    assert proposal.subject == "Make the packing better."
    assert proposal.summary == "Agent: chat, stub"
    assert first_line(bench) == "BETTER = True"
    assert bench.read("src/extra.py") == "EXTRA = True\n"
    assert "BETTER = True" in bench.kept("agent.log")


def test_the_model_is_shown_the_code_and_the_form(server: ChatServer, bench: Bench) -> None:
    server.responses = [says(edit(bench))]
    code = bench.read("src/pack.py")

    proposed(agent(server, temperature=0.5, max_output_tokens=99, api_key="key-1"), bench)

    assert code in server.prompt()
    assert "<<<<<<< SEARCH" in server.prompt()
    [request] = server.requests
    assert request["path"] == "/v1/chat/completions"
    assert (request["model"], request["temperature"], request["max_tokens"]) == ("stub", 0.5, 99)
    assert server.keys == ["Bearer key-1"]


def test_usage_is_counted_and_priced(server: ChatServer, bench: Bench) -> None:
    server.responses = [says(edit(bench))]

    proposed(agent(server, Tariff(1.0, 10.0, 0.1)), bench)

    [usage] = bench.budget_gate.usages
    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens) == (1000, 50, 100)
    assert usage.dollars == pytest.approx((900 + 10 + 500) / 1e6)


def test_a_price_that_the_endpoint_tells_counts(server: ChatServer, bench: Bench) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11, "cost": 0.125}
    server.responses = [says(edit(bench), usage=usage)]

    proposed(agent(server), bench)

    assert bench.budget_gate.usages == [Usage(10, 1, 0, 0.125)]


def test_an_endpoint_that_tells_no_usage_leaves_it_unknown(
    server: ChatServer, bench: Bench
) -> None:
    server.responses = [says(edit(bench), usage=None)]

    proposed(agent(server), bench)

    assert bench.budget_gate.usages == [Usage()]


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({"prompt_tokens": "12", "completion_tokens": 3}, Usage(None, 3)),
        ({"prompt_tokens": -5, "completion_tokens": 10**30}, Usage()),
        ({"prompt_tokens": 1, "completion_tokens": 3, "cost": -4}, Usage(1, 3)),
        ({"prompt_tokens": 1, "completion_tokens": 3, "cost": True}, Usage(1, 3)),
        ({"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": "z"}}, Usage(1)),
        ("12 tokens", Usage()),
    ],
)
def test_what_can_be_no_usage_is_unknown(
    told: Any, usage: Usage, server: ChatServer, bench: Bench
) -> None:
    server.responses = [says(NEW_FILE, usage=told)]

    proposed(agent(server), bench)

    assert bench.budget_gate.usages == [usage]


def test_a_text_in_parts_is_read(server: ChatServer, bench: Bench) -> None:
    parts: Any = [{"type": "thinking", "thinking": []}, {"type": "text", "text": NEW_FILE}]
    server.responses = [says(parts)]

    proposed(agent(server), bench)

    assert bench.read("src/extra.py") == "EXTRA = True\n"


def test_half_a_character_is_none(server: ChatServer, bench: Bench) -> None:
    server.responses = [says("Half \ud83d\n" + NEW_FILE.replace("True", "'\ud83d\ude00 \ude00'"))]

    assert proposed(agent(server), bench).subject == "Half \ufffd"
    assert bench.read("src/extra.py") == "EXTRA = '\U0001f600 \ufffd'\n"


def test_a_text_that_is_none_is_an_empty_answer(server: ChatServer, bench: Bench) -> None:
    text: Any = {"a": 1}
    server.responses = [says(text)]

    with pytest.raises(AgentFailed, match="empty answer"):
        proposed(agent(server), bench)


def test_a_call_that_was_cut_off_costs_its_price(server: ChatServer, bench: Bench) -> None:
    server.responses = [replace(says(NEW_FILE), promised_bytes=9)]

    with pytest.raises(ServiceUnavailable):
        proposed(agent(server, Tariff(per_call=0.5), retries=0), bench)

    assert bench.budget_gate.usages == [Usage(dollars=0.5)]


def test_a_file_with_two_kinds_of_line_ends_keeps_each(server: ChatServer, bench: Bench) -> None:
    path = bench.worktree.path / "src" / "pack.py"
    path.write_bytes(b"a\r\nb\nc\r\nd\r\n")
    server.responses = [says(EDIT.format(old="c", new="C\nE"))]

    proposed(agent(server), bench)

    assert path.read_bytes() == b"a\r\nb\nC\r\nE\r\nd\r\n"


def test_a_file_in_another_encoding_is_never_overwritten(server: ChatServer, bench: Bench) -> None:
    path = bench.worktree.path / "src" / "pack.py"
    path.write_bytes(b"# caf\xe9\n")
    server.responses = [says(EDIT.format(old="", new="x = 1")), says(NEW_FILE)]

    proposed(agent(server), bench)

    assert "src/pack.py: it is no text in UTF-8" in server.prompt(1)
    assert path.read_bytes() == b"# caf\xe9\n"


def test_a_path_that_no_file_can_have_is_reported(server: ChatServer, bench: Bench) -> None:
    odd = f"{'words/' * 60}\n```\nx\n```\nsrc/pack.py/x\n```\nx\n```\n"
    server.responses = [says(odd), says(NEW_FILE)]

    proposed(agent(server), bench)

    assert "that is no path of a file" in server.prompt(1)
    assert "src/pack.py/x: what it names as a folder is a file" in server.prompt(1)


def test_a_wrong_edit_is_reported_exactly_and_may_be_mended_once(
    server: ChatServer, bench: Bench
) -> None:
    server.responses = [says(EDIT.format(old="no such line", new="x")), says(edit(bench))]

    proposed(agent(server), bench)

    assert first_line(bench) == "BETTER = True"
    roles = [message["role"] for message in server.requests[1]["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert "src/pack.py: the lines in SEARCH do not occur in it" in server.prompt(1)
    assert len(bench.budget_gate.usages) == 2
    assert "--- answer 2" in bench.kept("agent.log")


def test_of_an_answer_that_is_wrong_in_part_nothing_is_applied(
    server: ChatServer, bench: Bench
) -> None:
    before = bench.read("src/pack.py")
    server.responses = [says(edit(bench) + EDIT.format(old="no such line", new="x"))]

    with pytest.raises(AgentFailed, match="no edits that can be applied") as raised:
        proposed(agent(server), bench)

    assert bench.read("src/pack.py") == before
    assert "no such line" not in before
    assert "do not occur" in raised.value.log
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I would rather talk about it.", "the answer holds no edit"),
        ("src/pack.py\n```\n<<<<<<< SEARCH\nx\n", "is not closed"),
        ("```\nx = 1\n```\n", "no path"),
        ("../outside.py\n```\nx = 1\n```\n", "leads out of the repository"),
        ("/etc/passwd\n```\nx = 1\n```\n", "leads out of the repository"),
        (".git/config\n```\nx = 1\n```\n", "no path of a file in the repository"),
        ("locked/key.py\n```\nx = 1\n```\n", "is protected by 'locked'"),
    ],
)
def test_what_cannot_be_applied_is_refused_with_a_reason(
    text: str, said: str, server: ChatServer, bench: Bench
) -> None:
    server.responses = [says(text)]
    found = agent(server)

    with pytest.raises(AgentFailed) as raised:
        found.propose(
            bench.worktree, replace(bench.brief, protected=["locked"]), soon(), bench.recorder
        )

    assert said in raised.value.summary
    assert said in server.prompt(1)


def test_a_path_through_a_symbolic_link_is_refused(server: ChatServer, bench: Bench) -> None:
    outside = bench.worktree.path.parent / "outside"
    outside.mkdir()
    (bench.worktree.path / "link").symlink_to(outside)
    server.responses = [says("link/x.py\n```\nx = 1\n```\n")]

    with pytest.raises(AgentFailed, match="symbolic link"):
        proposed(agent(server), bench)

    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("text", ["", "  \n", None])
def test_an_empty_answer_is_reported_as_that(
    text: str | None, server: ChatServer, bench: Bench
) -> None:
    server.responses = [says(text, finish="content_filter")]

    with pytest.raises(AgentFailed) as raised:
        proposed(agent(server), bench)

    assert "gave an empty answer" in raised.value.summary
    assert "content_filter" in raised.value.summary
    assert len(bench.budget_gate.usages) == 1


def test_an_answer_that_was_cut_off_is_not_applied(server: ChatServer, bench: Bench) -> None:
    server.responses = [says(edit(bench), finish="length"), says(edit(bench, "SHORT = 1"))]

    proposed(agent(server), bench)

    assert "cut off at its longest length" in server.prompt(1)
    assert first_line(bench) == "SHORT = 1"
