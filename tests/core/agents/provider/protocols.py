"""The four protocols in which coding agents ask a model, and in which they are refused."""

import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from tests.core.agents.provider.model import INPUT_TOKENS, OUTPUT_TOKENS, Question, Step, Tool

Body = Mapping[str, Any]
Event = Mapping[str, Any]
_NUMBERS = itertools.count(1)
NO_KEY, NO_CREDIT = "invalid_api_key", "insufficient_quota"  # codes of OpenAI's


def join_texts(content: object) -> str:
    """All text in a message's content, whatever its form."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(map(join_texts, content))
    if isinstance(content, Mapping):
        return join_texts(next((content[key] for key in ("text", "content") if key in content), ""))
    return ""


@dataclass(frozen=True, slots=True)
class RefusalAnswer:
    """How one provider refuses."""

    status: int
    body: Body


class Protocol(ABC):
    """How a request is read, and an answer or a refusal written."""

    ends: ClassVar[tuple[str, ...]]  # of the paths that are asked

    @abstractmethod
    def read(self, body: Body) -> Question:
        """What is asked."""

    @abstractmethod
    def answer(self, body: Body, step: Step) -> Body:
        """The answer as a whole."""

    @abstractmethod
    def stream(self, body: Body, step: Step) -> Iterator[Event]:
        """The answer as events."""

    def write_event(self, event: Event) -> str:
        """An event as a line of a stream."""
        return f"data: {json.dumps(event)}\n\n"

    last_line: ClassVar[str] = ""  # of a stream

    def refuse(self, status: int, code: str, words: str) -> "RefusalAnswer":
        """The status of a refusal, and what stands in it."""
        error = {"message": words, "type": code, "param": None, "code": code}
        return RefusalAnswer(status, {"error": error})


class ChatCompletions(Protocol):
    """OpenAI's older protocol, which most local servers speak."""

    ends = ("/chat/completions",)
    last_line = "data: [DONE]\n\n"

    def read(self, body: Body) -> Question:
        """Tools are functions; their results are messages of their own."""
        functions = [tool["function"] for tool in body.get("tools") or () if "function" in tool]
        messages = body.get("messages") or ()
        return Question(
            tuple(Tool(each["name"], each.get("parameters") or {}) for each in functions),
            sum(message.get("role") == "tool" for message in messages),
            join_texts([message.get("content") for message in messages]),
        )

    def answer(self, body: Body, step: Step) -> Body:
        """One choice."""
        message, reason = _describe_message(step)
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return _head(body, "chat.completion") | {"choices": [choice], "usage": _openai_usage()}

    def stream(self, body: Body, step: Step) -> Iterator[Event]:
        """Words or a call, the reason of the end, the usage."""
        message, reason = _describe_message(step)
        for call in message.get("tool_calls", ()):
            call["index"] = 0
        head = _head(body, "chat.completion.chunk")
        yield head | {"choices": [{"index": 0, "delta": message, "finish_reason": None}]}
        yield head | {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
        yield head | {"choices": [], "usage": _openai_usage()}


class Responses(Protocol):
    """OpenAI's newer protocol."""

    ends = ("/responses",)

    def read(self, body: Body) -> Question:
        """Tools may stand in namespaces, and among the input."""
        asked = body.get("input") or []
        items: Sequence[Body] = [{"content": asked}] if isinstance(asked, str) else asked
        tools = list(_list_tools(body.get("tools") or ()))
        for item in items:
            if item.get("type") == "additional_tools":
                tools += _list_tools(item.get("tools") or ())
        done = [item for item in items if str(item.get("type", "")).endswith("call_output")]
        return Question(tuple(tools), len(done), join_texts([*items, body.get("instructions")]))

    def answer(self, body: Body, step: Step) -> Body:
        """One item."""
        usage = {
            "input_tokens": INPUT_TOKENS,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": OUTPUT_TOKENS,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        }
        base = {"id": "r1", "object": "response", "created_at": 1, "model": body.get("model")}
        return base | {"status": "completed", "output": [_describe_item(step)], "usage": usage}

    def stream(self, body: Body, step: Step) -> Iterator[Event]:
        """The item's beginning, its words, its end, and all of it once more."""
        whole = self.answer(body, step)
        item = whole["output"][0]
        begun = dict(whole) | {"status": "in_progress", "output": [], "usage": None}
        events: list[dict[str, Any]] = [
            {"type": "response.created", "response": begun},
            {"type": "response.output_item.added", "output_index": 0, "item": item},
        ]
        if item["type"] == "message":
            place = {"item_id": "i1", "output_index": 0, "content_index": 0}
            events.append({"type": "response.output_text.delta", "delta": step.text} | place)
        events += [
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": whole},
        ]
        for number, event in enumerate(events):
            yield event | {"sequence_number": number}

    def write_event(self, event: Event) -> str:
        """With its type before it."""
        return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


class Messages(Protocol):
    """Anthropic's protocol."""

    ends = ("/messages",)

    def read(self, body: Body) -> Question:
        """Results are blocks of messages."""
        contents = [message.get("content") for message in body.get("messages") or ()]
        blocks = [block for each in contents if isinstance(each, list) for block in each]
        return Question(
            tuple(
                Tool(tool["name"], tool.get("input_schema") or {})
                for tool in body.get("tools") or ()
            ),
            sum(block.get("type") == "tool_result" for block in blocks),
            join_texts([*contents, body.get("system")]),
        )

    def answer(self, body: Body, step: Step) -> Body:
        """One block."""
        return {
            "id": f"msg_{next(_NUMBERS)}",
            "type": "message",
            "role": "assistant",
            "model": body.get("model"),
            "content": [_describe_block(step)],
            "stop_reason": "tool_use" if step.tool else "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS},
        }

    def stream(self, body: Body, step: Step) -> Iterator[Event]:
        """The block by piece; the tokens of the output come at the end."""
        whole = self.answer(body, step)
        usage = {"input_tokens": INPUT_TOKENS, "output_tokens": 1}
        begun: Event = {"content": [], "stop_reason": None, "usage": usage}
        empty, delta = whole["content"][0], {"type": "text_delta", "text": step.text}
        if step.tool:
            empty = empty | {"input": {}}
            delta = {"type": "input_json_delta", "partial_json": step.written_arguments}
        else:
            empty = empty | {"text": ""}
        yield {"type": "message_start", "message": {**whole, **begun}}
        yield {"type": "content_block_start", "index": 0, "content_block": empty}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
        yield {"type": "content_block_stop", "index": 0}
        end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
        yield {"type": "message_delta", "delta": end, "usage": {"output_tokens": OUTPUT_TOKENS}}
        yield {"type": "message_stop"}

    def write_event(self, event: Event) -> str:
        """With its type before it."""
        return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"

    def refuse(self, status: int, code: str, words: str) -> RefusalAnswer:
        """With a type that follows the status; without money it is a bad request."""
        if code == NO_CREDIT:
            status, words = 400, "Your credit balance is too low to access the Anthropic API."
        types = {401: "authentication_error", 429: "rate_limit_error", 500: "api_error"}
        error = {"type": types.get(status, "invalid_request_error"), "message": words}
        return RefusalAnswer(status, {"type": "error", "error": error, "request_id": "r1"})


class GenerateContent(Protocol):
    """Gemini's protocol."""

    ends = (":generateContent", ":streamGenerateContent")

    def read(self, body: Body) -> Question:
        """Results are parts."""
        parts = [part for each in body.get("contents") or () for part in each.get("parts") or ()]
        tools = body.get("tools") or ()
        declared = [each for tool in tools for each in tool.get("functionDeclarations", ())]
        return Question(
            tuple(
                Tool(each["name"], each.get("parametersJsonSchema") or each.get("parameters") or {})
                for each in declared
            ),
            sum("functionResponse" in part for part in parts),
            join_texts([part.get("text") for part in parts]),
        )

    def answer(self, body: Body, step: Step) -> Body:
        """One candidate."""
        part: dict[str, Any] = {"text": step.text}
        if step.tool:
            part = {"functionCall": {"name": step.tool, "args": step.arguments}}
        elif (body.get("generationConfig") or {}).get("responseMimeType") == "application/json":
            part = {"text": json.dumps({"reasoning": "", "model_choice": "flash"})}
        candidate = {"role": "model", "parts": [part]}
        return {
            "candidates": [{"content": candidate, "finishReason": "STOP", "index": 0}],
            "usageMetadata": {
                "promptTokenCount": INPUT_TOKENS,
                "candidatesTokenCount": OUTPUT_TOKENS,
                "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS,
            },
            "modelVersion": "stub",
        }

    def stream(self, body: Body, step: Step) -> Iterator[Event]:
        """All at once."""
        yield self.answer(body, step)

    def refuse(self, status: int, code: str, words: str) -> RefusalAnswer:
        """With a status in words; a wrong key is a bad request."""
        if code == NO_KEY:
            status, words = 400, "API key not valid. Please pass a valid API key."
        names = {429: "RESOURCE_EXHAUSTED", 500: "INTERNAL"}
        named = names.get(status, "INVALID_ARGUMENT")
        return RefusalAnswer(status, {"error": {"code": status, "message": words, "status": named}})


PROTOCOLS: Sequence[Protocol] = (ChatCompletions(), Responses(), Messages(), GenerateContent())


def _head(body: Body, kind: str) -> dict[str, Any]:
    return {"id": "c1", "object": kind, "created": 1, "model": body.get("model")}


def _openai_usage() -> Body:
    total = INPUT_TOKENS + OUTPUT_TOKENS
    return {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": total,
    }


def _describe_message(step: Step) -> tuple[dict[str, Any], str]:
    if not step.tool:
        return {"role": "assistant", "content": step.text}, "stop"
    called = {"name": step.tool, "arguments": step.written_arguments}
    call = {"id": f"call_{next(_NUMBERS)}", "type": "function", "function": called}
    return {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls"


def _describe_item(step: Step) -> Body:
    if not step.tool:
        content = [{"type": "output_text", "text": step.text, "annotations": []}]
        return {"type": "message", "id": "i1", "role": "assistant", "content": content}
    call = {"id": "i1", "call_id": f"call_{next(_NUMBERS)}", "name": step.tool}
    call["status"] = "completed"
    if step.namespace:
        call["namespace"] = step.namespace
    if step.free_text is not None:
        return {"type": "custom_tool_call", "input": step.free_text} | call
    return {"type": "function_call", "arguments": step.written_arguments} | call


def _describe_block(step: Step) -> dict[str, Any]:
    if not step.tool:
        return {"type": "text", "text": step.text}
    return {
        "type": "tool_use",
        "id": f"toolu_{next(_NUMBERS)}",
        "name": step.tool,
        "input": step.arguments,
    }


def _list_tools(tools: Sequence[Body]) -> Iterator[Tool]:
    for tool in tools:
        if tool.get("type") == "namespace":
            yield from (
                replace(each, namespace=tool["name"])
                for each in _list_tools(tool.get("tools") or ())
            )
        elif tool.get("name"):
            free = tool.get("type") == "custom"
            yield Tool(tool["name"], None if free else tool.get("parameters") or {})
