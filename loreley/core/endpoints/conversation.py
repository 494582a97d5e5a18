"""A conversation with a chat model: its messages, the tools it is offered, its calls; pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loreley.core.budget import Usage
from loreley.core.endpoints.dialects import Part

# Where servers tell what the model thought; some refuse calls that come back without it.
_THOUGHTS = ("reasoning_content", "reasoning", "reasoning_details")


@dataclass(frozen=True, slots=True)
class Tool:
    """What a model may call; ``parameters`` are the properties of an object, as JSON Schema."""

    name: str
    description: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    required: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools that a model is offered, and what it is told of them where it is."""

    offered: Sequence[Tool]
    told: str

    def write(self) -> list[dict[str, Any]]:
        """As the protocol has it."""
        return [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": {
                        "type": "object",
                        "properties": dict(tool.parameters),
                        "required": list(tool.required),
                    },
                },
            }
            for tool in self.offered
        ]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What a model calls; ``arguments`` as it wrote them, which should be JSON."""

    id: str
    name: str
    arguments: str
    raw: Mapping[str, Any] = field(default_factory=dict)  # as its server wants to see it again


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A turn of the conversation."""

    role: str
    content: str
    calls: Sequence[ToolCall] = ()  # of an assistant
    answers: str = ""  # the id of the call whose result this is
    thoughts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model answered."""

    text: str
    finish_reason: str
    usage: Usage
    thoughts: Mapping[str, Any] = field(default_factory=dict)  # beside the text, if told apart
    calls: Sequence[ToolCall] = ()

    @property
    def has_thoughts(self) -> bool:
        """Whether the model is known to have thought."""
        return any(map(str.strip, filter(None, map(_describe, self.thoughts.values()))))

    def to_message(self) -> ChatMessage:
        """The turn that it is in the conversation."""
        text = self.text or ("" if self.calls else "(no text)")
        return ChatMessage("assistant", text, self.calls, thoughts=self.thoughts)


def read_thoughts(message: Mapping[str, Any]) -> dict[str, Any]:
    """What a message tells of thoughts, under the names by which they are sent back."""
    return {name: message[name] for name in _THOUGHTS if message.get(name) is not None}


def read_calls(told: object) -> list[ToolCall]:
    """The calls of a message; one without a name is of a tool that is not there."""
    calls = []
    for number, raw in enumerate(told if isinstance(told, list) else [], start=1):
        if not isinstance(raw, dict):
            continue
        function = raw.get("function")
        function = function if isinstance(function, dict) else {}
        name, arguments = str(function.get("name") or ""), function.get("arguments") or "{}"
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments)
        call_id = str(raw.get("id") or f"call_{number}")
        again = {
            **{key: value for key, value in raw.items() if key != "index"},
            "id": call_id,
            "type": "function",
            "function": {**function, "name": name, "arguments": arguments},
        }
        calls.append(ToolCall(call_id, name, arguments, again))
    return calls


def merge_pieces(calls: list[dict[str, Any]], pieces: object) -> None:
    """Add what a streamed event tells of calls to what the earlier ones told."""
    for piece in pieces if isinstance(pieces, list) else []:
        if not isinstance(piece, dict):
            continue
        call = _find_call(calls, piece)
        function = call["function"]
        told = piece.get("function")
        for name, value in (told if isinstance(told, dict) else {}).items():
            if name == "arguments" and isinstance(value, str):
                function[name] = function.get(name, "") + value
            elif value:
                function[name] = value
        call.update({key: value for key, value in piece.items() if key != "function" and value})


def _find_call(calls: list[dict[str, Any]], piece: dict[str, Any]) -> dict[str, Any]:
    """The call that a piece goes on with; several may share an index, but not an id."""
    index, call_id = piece.get("index"), piece.get("id")
    call: dict[str, Any]
    for call in reversed(calls):
        if call["index"] == index and (not call_id or call.get("id") in (None, call_id)):
            return call
    begun: dict[str, Any] = {"index": index, "function": {}}
    calls.append(begun)
    return begun


def write_messages(
    messages: Sequence[ChatMessage], tools: Tools | None, refused: frozenset[Part]
) -> list[dict[str, Any]]:
    """The conversation in the endpoint's dialect.

    Where it knows no system, its words stand at the head of the first question; where it knows no
    tools, calls and results are told in plain words.
    """
    if Part.TOOLS in refused:
        messages = list(_tell_calls(messages))
    elif tools is not None:
        first, *rest = messages
        messages = [ChatMessage(first.role, f"{first.content}\n\n{tools.told}"), *rest]
    if Part.SYSTEM in refused:
        messages = _join_system(messages)
    thoughts = {} if Part.THOUGHTS in refused else _find_thoughts(messages)
    return [_write_message(message, thoughts) for message in messages]


def _write_message(message: ChatMessage, thoughts: Mapping[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.calls:
        written["tool_calls"] = [dict(call.raw) for call in message.calls]
        written |= {name: message.thoughts.get(name, none) for name, none in thoughts.items()}
    if message.answers:
        written["tool_call_id"] = message.answers
    return written


def _find_thoughts(messages: Sequence[ChatMessage]) -> dict[str, Any]:
    """Under which names thoughts go back, each with what stands where there were none."""
    told = [item for message in messages for item in message.thoughts.items()]
    return {name: "" if isinstance(value, str) else [] for name, value in told}


def _join_system(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    said = [each.content for each in messages if each.role == "system"]
    first, *rest = [each for each in messages if each.role != "system"]
    return [ChatMessage(first.role, "\n\n".join([*said, first.content])), *rest]


def _tell_calls(messages: Sequence[ChatMessage]) -> Iterator[ChatMessage]:
    """The same without calls: what one turn's calls came to is one turn."""
    results: list[str] = []
    for message in messages:
        if message.answers:
            results.append(message.content)
            continue
        if results:
            yield ChatMessage("user", "\n\n".join(results))
            results = []
        told = [f"({call.name} {call.arguments})" for call in message.calls]
        yield ChatMessage(message.role, "\n\n".join(filter(None, [message.content, *told])))
    if results:
        yield ChatMessage("user", "\n\n".join(results))


def _describe(thought: object) -> str:
    return thought if isinstance(thought, str) else json.dumps(thought) if thought else ""
