"""A chat model that works by tools: it looks, changes and measures, within limits."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from loreley.core.agents.chat.agent import ChatAgent
from loreley.core.agents.prompts import Prompter
from loreley.core.agents.protocol import Proposal
from loreley.core.budget import Tariff
from loreley.core.endpoints.chat import ChatEndpoint
from loreley.errors import AgentFailed
from tests.core.agents.chat_server import ChatServer, calls, chat_server, refuses, says
from tests.core.agents.support import Bench, CountingTrials
from tests.core.worker.upstream import soon

pytestmark = pytest.mark.slow  # importing the client takes more than a second

FILE = "src/extra.py\n```\nEXTRA = True\n```\n"
ADD = ("edit_file", {"path": "src/extra.py", "replace": "EXTRA = True\n"})


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server() as found:
        yield found


def agent(server: ChatServer, **options: Any) -> ChatAgent:
    prompter = Prompter.from_file(None, 64 * 1024)
    endpoint = ChatEndpoint("stub", server.url)
    return ChatAgent("chat", endpoint, prompter, **{"tariff": Tariff(), "rounds": 5, **options})


def propose(found: ChatAgent, bench: Bench, trials: CountingTrials | None = None) -> Proposal:
    brief = replace(bench.brief, trials=trials)
    return found.propose(bench.worktree, brief, soon(), bench.recorder)


def results(server: ChatServer, number: int = -1) -> Sequence[str]:
    """What the calls before a request came to."""
    return [
        each["content"] for each in server.requests[number]["messages"] if each["role"] == "tool"
    ]


def test_a_model_looks_changes_and_says_what_it_did(server: ChatServer, bench: Bench) -> None:
    first = bench.read("src/pack.py").splitlines()[0]
    server.responses = [
        calls(("list_files", {}), ("search_files", {"text": first.upper()})),
        calls(("read_file", {"path": "src/pack.py"})),
        calls(("edit_file", {"path": "src/pack.py", "search": first, "replace": "BETTER = 1"})),
        says("Make it better.\n\nAs it was worse."),
    ]

    proposal = propose(agent(server), bench)

    assert proposal.subject == "Make it better."
    assert proposal.summary == "As it was worse.\n\nAgent: chat, stub"
    assert bench.read("src/pack.py").startswith("BETTER = 1\n")
    listed, searched = results(server, 1)
    assert "src/pack.py" in listed.split("\n")
    assert searched.startswith(f"src/pack.py:1: {first}")
    assert results(server, 2)[-1].startswith(f"{first}\n")
    assert results(server)[-1].startswith("done")
    assert len(bench.budget_gate.usages) == 4
    assert "edit_file" in bench.kept("agent.log")


def test_what_a_change_measures_is_seen_by_the_model(server: ChatServer, bench: Bench) -> None:
    trials = CountingTrials()
    server.responses = [calls(ADD, ("evaluate", {}), ("best", {})), says("Add it.")]

    propose(agent(server), bench, trials)

    assert trials.asked == 2
    assert json.loads(results(server)[1]) == {"metrics": {"score": 2.0}}
    system = server.requests[0]["messages"][0]["content"]
    assert "you have 5 evaluations" in system.replace("\n", " ")


def test_without_trials_there_is_nothing_to_measure_with(server: ChatServer, bench: Bench) -> None:
    server.responses = [calls(("evaluate", {})), calls(ADD), says("Add it.")]

    propose(agent(server), bench)

    offered = [each["function"]["name"] for each in server.requests[0]["tools"]]
    assert offered == ["list_files", "search_files", "read_file", "edit_file"]
    assert results(server, 1)[0].startswith("error: there is no such tool")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (("read_file", '{"path": '), "no JSON"),
        (("read_file", "[1]"), "an object"),
        (("read_file", {"path": 5}), "`path` is to be a text"),
        (("read_file", {"path": "/etc/passwd"}), "there is no file"),
        (("read_file", {"path": ".git"}), "there is no file"),
        (("read_file", {"path": "../../x"}), "there is no file"),
        (("read_file", {"path": "src/pack.py", "first_line": -3}), "number of a line"),
        (("search_files", {"text": ""}), "a part of one line"),
        (("edit_file", {"path": "src/pack.py"}), "`replace` is to be a text"),
        (("edit_file", {"path": "../x.py", "replace": "1"}), "../x.py"),
        (("edit_file", {"path": ".git/config", "replace": "1"}), ".git"),
        (("edit_file", {"path": "src/pack.py", "search": "nowhere", "replace": "1"}), "SEARCH"),
        (("rm", {"path": "src/pack.py"}), "no such tool"),
        (("", {}), "no such tool"),
    ],
)
def test_a_call_with_nonsense_is_told_and_the_job_goes_on(
    server: ChatServer, bench: Bench, call: tuple[str, object], told: str
) -> None:
    server.responses = [calls(call), says(FILE)]

    assert propose(agent(server), bench).subject

    [result] = results(server)
    assert result.startswith("error: ")
    assert told in result
    assert bench.read("src/extra.py") == "EXTRA = True\n"


def test_half_a_character_becomes_a_whole_one(server: ChatServer, bench: Bench) -> None:
    given = '{"path": "src/extra.py", "replace": "X = \'\\ud800\'\\n"}'
    server.responses = [calls(("edit_file", given)), says("Add it.")]

    propose(agent(server), bench)

    assert bench.read("src/extra.py") == "X = '\ufffd'\n"


def test_a_model_that_only_ever_calls_is_ended_after_its_rounds(
    server: ChatServer, bench: Bench
) -> None:
    server.responses = [calls(("list_files", {}))]

    with pytest.raises(AgentFailed, match="has used up its 3 rounds") as raised:
        propose(agent(server, rounds=3), bench)

    assert len(server.requests) == 3
    assert raised.value.problems[0].setting == "WORKER_CHAT_ROUNDS"


def test_what_was_changed_counts_where_the_rounds_end(server: ChatServer, bench: Bench) -> None:
    server.responses = [calls(ADD), calls(("list_files", {}))]

    proposal = propose(agent(server, rounds=2), bench)

    assert proposal.subject == "Add src/extra.py"
    assert "has used up its 2 rounds" in proposal.summary
    assert results(server)[0].endswith("(1 more rounds of calls are possible)")


def test_a_conversation_ends_when_it_has_cost_as_much_as_it_may(
    server: ChatServer, bench: Bench
) -> None:
    server.responses = [calls(ADD), calls(("list_files", {}))]
    of_one = (900 + 10 + 500) / 1e6

    proposal = propose(
        agent(server, tariff=Tariff(1.0, 10.0, 0.1), max_dollars=1.5 * of_one), bench
    )

    assert len(server.requests) == 2
    assert "has cost $0.00282" in proposal.summary


@pytest.mark.parametrize(
    "refusal",
    [
        refuses(400, "registry.ollama.ai/library/gemma:2b does not support tools"),
        refuses(
            400,
            '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser',
        ),
        refuses(404, "No endpoints found that support tool use."),
        refuses(400, "`tool calling` is not supported with this model"),
        refuses(400, "Unsupported parameter: 'tools' is not supported with this model."),
        refuses(500, "tools param requires --jinja flag"),
    ],
)
def test_an_endpoint_without_tools_keeps_the_edit_form(
    server: ChatServer, bench: Bench, refusal: Any
) -> None:
    server.responses = [refusal, says(FILE)]
    found = agent(server)

    propose(replace(found, endpoint=replace(found.endpoint, retries=0)), bench)

    first, second = server.requests
    assert "tools" in first
    assert "You have tools" in first["messages"][0]["content"]
    assert "tools" not in second
    assert "You have tools" not in json.dumps(second)
    assert len(bench.budget_gate.usages) == 1


def test_tools_that_are_refused_later_are_told_in_words(server: ChatServer, bench: Bench) -> None:
    refusal = refuses(400, "this model does not support tools")
    server.responses = [calls(("list_files", {}), ("best", {})), refusal, says(FILE)]

    propose(agent(server), bench)

    turns = server.requests[-1]["messages"]
    assert [each["role"] for each in turns] == ["system", "user", "assistant", "user"]
    assert turns[2]["content"] == "(list_files {})\n\n(best {})"
    assert "src/pack.py" in turns[3]["content"]


def test_a_part_of_a_line_is_replaced_and_no_lines_are_joined(
    server: ChatServer, bench: Bench
) -> None:
    lines = "value = max(one, two)\nother = 1\nlast = 2\n"

    def edit(search: str, replace: str) -> tuple[str, object]:
        return "edit_file", {"path": "src/new.py", "search": search, "replace": replace}

    server.responses = [
        calls(("edit_file", {"path": "src/new.py", "replace": lines.rstrip()})),
        calls(
            edit("two", "three"),
            edit("other = 1\n", "other = 2"),
            edit("last = 2  ", "last = 3"),
        ),
        says("Add it."),
    ]

    propose(agent(server), bench)

    assert bench.read("src/new.py") == "value = max(one, three)\nother = 2\nlast = 3\n"


def test_no_tools_are_offered_where_there_are_no_rounds(server: ChatServer, bench: Bench) -> None:
    server.responses = [says(FILE)]

    propose(agent(server, rounds=0), bench)

    [request] = server.requests
    assert "tools" not in request
    assert "You have tools" not in json.dumps(request)


def test_more_calls_at_once_than_are_done_are_refused(server: ChatServer, bench: Bench) -> None:
    server.responses = [calls(*[("list_files", {})] * 40), says(FILE)]

    propose(agent(server), bench)

    refused = [each for each in results(server) if "no more than 32 calls" in each]
    assert len(refused) == 8


def test_a_long_file_is_read_in_parts_and_is_not_written_anew_unseen(
    server: ChatServer, bench: Bench
) -> None:
    text = "".join(f"LINE_{number} = {number}\n" for number in range(5_000))
    server.responses = [
        calls(("edit_file", {"path": "src/long.py", "replace": text})),
        calls(("read_file", {"path": "src/long.py"})),
        calls(("read_file", {"path": "src/long.py", "first_line": 4999, "last_line": 9999})),
        says("Add it."),
    ]

    propose(agent(server), bench)

    whole, end = results(server)[1:]
    assert whole.startswith("(lines 1 to ")
    assert len(whole) < 33_000
    assert end.startswith("(lines 4999 to 5000 of 5000)\nLINE_4998 = 4998\nLINE_4999 = 4999\n")


def test_a_model_without_instructions_climbs_by_what_it_is_told(
    server: ChatServer, bench: Bench
) -> None:
    def climb(request: dict[str, Any]) -> Any:
        told = [each["content"] for each in request["messages"] if each["role"] == "tool"]
        edits = sum(each.startswith("done") for each in told)
        if edits == 3:
            return says("Come to the top.")
        put = {"path": "x.txt", "replace": f"{edits + 1}\n"}
        return calls(("edit_file", put), ("evaluate", {}))

    server.model = climb
    trials = CountingTrials()

    propose(agent(server), bench, trials)

    assert (bench.read("x.txt"), trials.asked) == ("3\n", 3)
