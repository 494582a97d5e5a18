"""Endpoints that refuse a part of the protocol are asked again without it (rows 7 and 10)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from loguru import logger

from loreley.core.budget import CallUsage, Usage
from loreley.core.endpoints.chat import ChatEndpoint
from loreley.core.endpoints.conversation import ChatMessage, Reply
from loreley.core.endpoints.dialects import Part, find_refused, may_lack_version
from loreley.errors import LoreleyError
from tests.core.agents.chat_server import ChatServer, Response, refuses, says
from tests.core.worker.upstream import soon

SLOW = pytest.mark.slow  # importing the client takes more than a second
QUESTION = [ChatMessage("system", "Be brief."), ChatMessage("user", "Why?")]


@contextmanager
def captured_logs() -> Iterator[list[str]]:
    said: list[str] = []
    sink = logger.add(said.append, level="WARNING", format="{message}")
    try:
        yield said
    finally:
        logger.remove(sink)


def endpoint(server: ChatServer, **options: Any) -> ChatEndpoint:
    return ChatEndpoint("stub", **{"url": server.url, **options})


def ask(found: ChatEndpoint, call: CallUsage | None = None) -> Reply:
    return found.ask(QUESTION, soon(), call or CallUsage())


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("System role not supported", Part.SYSTEM),
        ("Developer instruction is not enabled for models/gemma-3", Part.SYSTEM),
        ("'messages[0].role' does not support 'system' with this model.", Part.SYSTEM),
        ("Conversation roles must alternate user/assistant/user", Part.SYSTEM),
        (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            Part.MAX_TOKENS,
        ),
        ("[{'type': 'extra', 'loc': ['max_tokens'], 'msg': 'Extra inputs'}]", Part.MAX_TOKENS),
        ("max_tokens: Extra inputs are not permitted", Part.MAX_TOKENS),
        ("'temperature' does not support 0.2 with this model. Only the default", Part.TEMPERATURE),
        ("invalid temperature: only 1 is allowed for this model", Part.TEMPERATURE),
        ("temperature is deprecated for this model", Part.TEMPERATURE),
        ("Unrecognized request argument supplied: stream_options", Part.USAGE),
        ("Streaming is not supported for this model", Part.STREAM),
        ("Unexpected message role.", Part.SYSTEM),
        ("messages.0.role: Input should be 'user' or 'assistant'", Part.SYSTEM),
        ("role must be in [user, assistant]", Part.SYSTEM),
        ("System role is disabled", Part.SYSTEM),
        ("`temperature` may only be set to 1 when thinking is enabled", Part.TEMPERATURE),
        ("temperature is not compatible with this model", Part.TEMPERATURE),
        ("This model has a fixed temperature of 1", Part.TEMPERATURE),
        ("Your organization must be verified to stream this model.", Part.STREAM),
        ("temperature must be between 0 and 1", None),
        ("temperature: Input should be less than or equal to 1", None),
        ("temperature must be in [0, 1]", None),
        ("max_tokens is too large: 99999. This model takes at most 4096", None),
        ("This model's maximum context length is 4096 tokens", None),
        ("The model does not exist", None),
    ],
)
def test_row_7_the_refused_part_is_known_by_the_words(words: str, part: Part | None) -> None:
    sent = [Part.STREAM, Part.USAGE, Part.TEMPERATURE, Part.SYSTEM, Part.MAX_TOKENS]

    assert find_refused(words, sent) is part


def test_row_7_what_was_not_sent_is_not_taken_away() -> None:
    assert find_refused("temperature is not supported", [Part.SYSTEM]) is None


@SLOW
@pytest.mark.parametrize("status", [400, 422, 500])
def test_row_7_a_system_role_that_is_refused_becomes_a_part_of_the_question(
    status: int, server: ChatServer
) -> None:
    server.responses = [refuses(status, "System role not supported"), says("Because.")]
    found, call = endpoint(server, retries=0), CallUsage()

    with captured_logs() as lines:
        reply = ask(found, call)

    assert reply.text == "Because."
    assert server.requests[1]["messages"] == [{"role": "user", "content": "Be brief.\n\nWhy?"}]
    assert call.times == 1
    assert "refuses the system role" in "".join(lines)


@SLOW
def test_row_7_what_is_refused_is_remembered_for_the_process(server: ChatServer) -> None:
    server.responses = [
        refuses(400, "max_tokens is not supported, use max_completion_tokens instead"),
        refuses(400, "temperature does not support 0.5. Only the default (1) value is supported."),
        says("Because."),
    ]
    found = endpoint(server, temperature=0.5, max_output_tokens=9)

    ask(found)
    ask(found)

    first, second, third, fourth = server.requests
    assert (first["temperature"], first["max_tokens"]) == (0.5, 9)
    assert (second["temperature"], second["max_completion_tokens"]) == (0.5, 9)
    assert "max_tokens" not in second
    assert "temperature" not in third
    assert fourth == third


@SLOW
def test_row_7_a_part_is_refused_once_and_then_the_refusal_stands(server: ChatServer) -> None:
    server.responses = [refuses(400, "System role not supported")]

    with pytest.raises(LoreleyError, match="System role not supported"):
        ask(endpoint(server))

    assert len(server.requests) == 2


@SLOW
def test_row_7_an_endpoint_that_does_not_stream_is_asked_for_all_at_once(
    server: ChatServer,
) -> None:
    server.responses = [
        refuses(400, "stream_options is not supported"),
        refuses(400, "stream is not supported"),
        says("Because."),
    ]

    assert ask(endpoint(server)).text == "Because."

    assert [request.get("stream") for request in server.requests] == [True, True, None]
    assert "stream_options" not in server.requests[1]


@SLOW
@pytest.mark.parametrize(
    "missing", [refuses(404, "page not found"), refuses(405, "no"), Response("<html></html>")]
)
def test_row_10_a_base_url_without_v1_is_tried_with_it(
    missing: Response, server: ChatServer
) -> None:
    server.responses = [missing, says("Because.")]
    found = endpoint(server, url=server.url.removesuffix("/v1"))

    with captured_logs() as lines:
        assert ask(found).text == "Because."
        assert ask(found).text == "Because."

    paths = [request["path"] for request in server.requests]
    assert paths == ["/chat/completions", "/v1/chat/completions", "/v1/chat/completions"]
    assert "without /v1" in "".join(lines)


@SLOW
def test_row_10_where_v1_does_not_help_the_first_refusal_is_told(server: ChatServer) -> None:
    server.responses = [refuses(404, "page not found"), refuses(404, "nor here")]

    with pytest.raises(LoreleyError, match="page not found"):
        ask(endpoint(server, url=server.url.removesuffix("/v1")))

    assert len(server.requests) == 2


@SLOW
def test_row_10_a_model_that_is_missing_is_no_missing_path(server: ChatServer) -> None:
    server.responses = [refuses(404, "model 'stub' not found")]

    with pytest.raises(LoreleyError, match="model 'stub' not found"):
        ask(endpoint(server, url=server.url.removesuffix("/v1")))

    assert len(server.requests) == 1


@SLOW
@pytest.mark.parametrize(
    "path",
    ["/", "/chat/completions", "/chat/completions/", "/completions", "/models", "/responses"],
)
def test_row_10_the_path_of_a_question_may_be_in_the_url(path: str, server: ChatServer) -> None:
    server.responses = [says("Because.")]

    ask(endpoint(server, url=f"{server.url}{path}"))

    assert server.requests[0]["path"] == "/v1/chat/completions"


@SLOW
def test_row_10_the_path_of_ollama_s_own_protocol_leads_to_the_other(server: ChatServer) -> None:
    server.responses = [refuses(404, "page not found"), says("Because.")]

    ask(endpoint(server, url=f"{server.url.removesuffix('/v1')}/api/chat"))

    assert server.requests[1]["path"] == "/v1/chat/completions"


def test_row_10_v1_belongs_only_where_no_version_is() -> None:
    assert may_lack_version("http://localhost:11434")
    assert may_lack_version("http://localhost:11434/proxy")
    assert not may_lack_version("http://localhost:11434/v1")
    assert not may_lack_version("https://example.com/v1beta/openai")
    assert not may_lack_version(None)


@SLOW
def test_what_a_refused_dialect_costs_is_nothing(server: ChatServer) -> None:
    server.responses = [refuses(400, "System role not supported"), refuses(401, "no key")]
    call = CallUsage()

    with pytest.raises(LoreleyError):
        ask(endpoint(server), call)

    assert call.usage == Usage(0, 0, dollars=0.0)
