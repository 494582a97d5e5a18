"""A conversation as it is sent, and calls as they come in."""

import pytest

from loreley.core.budget import Usage
from loreley.core.endpoints.completions import Life, read_completion
from loreley.core.endpoints.conversation import (
    ChatMessage,
    Reply,
    Tool,
    Tools,
    merge_pieces,
    read_calls,
    read_thoughts,
    write_messages,
)
from loreley.core.endpoints.dialects import Part

TOOLS = Tools([Tool("look", "Look.", {"path": {"type": "string"}}, ["path"])], "You may look.")
QUESTION = [ChatMessage("system", "Be brief."), ChatMessage("user", "Why?")]


def test_what_is_told_of_tools_goes_with_them() -> None:
    with_tools = write_messages(QUESTION, TOOLS, frozenset())
    without = write_messages(QUESTION, TOOLS, frozenset({Part.TOOLS}))

    assert with_tools[0]["content"] == "Be brief.\n\nYou may look."
    assert without[0]["content"] == "Be brief."
    assert with_tools[1] == without[1] == {"role": "user", "content": "Why?"}


def test_where_no_system_is_known_all_of_it_heads_the_question() -> None:
    [only] = write_messages(QUESTION, TOOLS, frozenset({Part.SYSTEM}))

    assert only == {"role": "user", "content": "Be brief.\n\nYou may look.\n\nWhy?"}


def test_calls_that_come_in_pieces_are_put_together() -> None:
    calls: list[dict[str, object]] = []
    for piece in (
        {"index": 0, "id": "a", "type": "function", "function": {"name": "look"}},
        {"index": 0, "function": {"arguments": '{"path"'}},
        {"index": 1, "id": "b", "function": {"name": "look", "arguments": ""}},
        {"index": 0, "function": {"name": "look", "arguments": ': "x"}'}},
        {"index": 1, "function": {"arguments": "{}"}},
        "nonsense",
    ):
        merge_pieces(calls, [piece])

    first, second = read_calls(calls)
    assert (first.id, first.name, first.arguments) == ("a", "look", '{"path": "x"}')
    assert (second.id, second.name, second.arguments) == ("b", "look", "{}")


def test_calls_of_one_index_with_ids_of_their_own_are_two() -> None:
    """As Gemini's endpoint streams them; what it wants to see again is kept."""
    calls: list[dict[str, object]] = []
    signed = {"google": {"thought_signature": "s"}}
    merge_pieces(
        calls,
        [
            {"index": 0, "id": "a", "function": {"name": "look"}, "extra_content": signed},
            {"index": 0, "id": "b", "function": {"name": "best"}},
        ],
    )

    first, second = read_calls(calls)
    assert (first.name, second.name) == ("look", "best")
    assert first.raw["extra_content"] == signed
    assert "index" not in first.raw


def test_arguments_that_are_no_text_and_missing_ids_are_understood() -> None:
    told = [{"function": {"name": "look", "arguments": {"path": "x"}}}, {"function": {}}, 7]

    first, second = read_calls(told)
    assert (first.id, first.arguments) == ("call_1", '{"path": "x"}')
    assert (second.id, second.name) == ("call_2", "")


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thoughts_go_back_with_calls_under_their_own_name(name: str) -> None:
    """Some servers refuse a call without them, even where the model has thought nothing."""
    calls = read_calls([{"id": "a", "function": {"name": "look"}}])
    thinks = Reply("", "tool_calls", Usage(), {name: "Hm."}, calls).to_message()
    thinks_not = Reply("", "tool_calls", Usage(), {}, calls).to_message()
    result = ChatMessage("tool", "done", answers="a")

    sent = write_messages([*QUESTION, thinks, result, thinks_not, result], TOOLS, frozenset())
    refused = write_messages([*QUESTION, thinks, result], TOOLS, frozenset({Part.THOUGHTS}))

    assert (sent[2][name], sent[4][name]) == ("Hm.", "")
    assert sent[3] == {"role": "tool", "content": "done", "tool_call_id": "a"}
    assert name not in sent[1]
    assert name not in refused[2]


def test_streamed_thoughts_are_put_together_by_their_names() -> None:
    lines = [
        'data: {"choices": [{"delta": {"reasoning": "H", "reasoning_details": [1]}}]}',
        'data: {"choices": [{"delta": {"reasoning": "m", "reasoning_details": [2]}}]}',
        'data: {"choices": [{"delta": {"content": "So."}, "finish_reason": "stop"}]}',
        "data: [DONE]",
    ]

    message = read_completion(lines, Life())["choices"][0]["message"]

    assert read_thoughts(message) == {"reasoning": "Hm", "reasoning_details": [1, 2]}
