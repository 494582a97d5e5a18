"""Answers that come in pieces, and errors that come with status 200 (row 8)."""

from dataclasses import replace
from typing import Any

import pytest

from loreley.core.budget import CallUsage, Usage
from loreley.core.endpoints.chat import ChatEndpoint
from loreley.core.endpoints.conversation import ChatMessage, Reply
from loreley.errors import LoreleyError, ProviderUnavailable, ServiceUnavailable
from tests.core.agents.chat_server import ChatServer, Response, says, streams
from tests.core.worker.upstream import soon

pytestmark = pytest.mark.slow  # importing the client takes more than a second


def ask(server: ChatServer, call: CallUsage | None = None, **options: Any) -> Reply:
    endpoint = ChatEndpoint("stub", **{"url": server.url, **options})
    return endpoint.ask([ChatMessage("user", "Why?")], soon(), call or CallUsage())


def error(code: object, **details: object) -> Response:
    return Response({"error": {"message": "upstream is unwell", "code": code} | details})


def test_an_answer_in_pieces_is_put_together(server: ChatServer) -> None:
    server.responses = [streams("Be", "cause \ud83d", "\ude00.")]

    reply = ask(server)

    assert (reply.text, reply.finish_reason) == ("Because \U0001f600.", "stop")
    assert reply.usage == Usage(1000, 50, 100)
    assert server.requests[0]["stream"] is True
    assert server.requests[0]["stream_options"] == {"include_usage": True}


def test_row_2_thoughts_beside_the_text_are_told_apart(server: ChatServer) -> None:
    thought = 'data: {"choices": [{"delta": {"reasoning_content": "Hm."}}]}\n\n'
    answer = streams("Because.")
    server.responses = [replace(answer, pieces=[": wait\n\n", thought, *answer.pieces])]

    reply = ask(server)

    assert (reply.text, reply.has_thoughts) == ("Because.", True)


@pytest.mark.parametrize("code", [429, 502, "429", "rate_limit_exceeded", "server_error"])
def test_row_8_an_error_that_may_pass_is_asked_again(code: object, server: ChatServer) -> None:
    server.responses, call = [error(code), says("Because.")], CallUsage()

    assert ask(server, call, retries=1).text == "Because."

    assert len(server.requests) == 2
    assert call.times == 1


def test_row_8_an_error_that_lasts_is_an_endpoint_that_is_away(server: ChatServer) -> None:
    server.responses, call = [error(502)], CallUsage()

    with pytest.raises(ServiceUnavailable, match="status 502: upstream is unwell"):
        ask(server, call, retries=1)

    assert len(server.requests) == 2
    assert call.usage == Usage(0, 0, dollars=0.0)


def test_row_8_an_error_in_the_middle_of_a_stream_is_one(server: ChatServer) -> None:
    broken = 'data: {"error": {"message": "upstream is unwell", "code": 502}, "choices": []}\n\n'
    server.responses = [replace(streams("x"), pieces=[broken]), streams("Because.")]

    assert ask(server, retries=1).text == "Because."


@pytest.mark.parametrize(
    ("code", "said"), [(401, "refuses the key"), ("invalid_api_key", "refuses the key")]
)
def test_row_8_an_error_that_stays_is_told_as_what_it_is(
    code: object, said: str, server: ChatServer
) -> None:
    server.responses = [error(code)]

    with pytest.raises(LoreleyError, match=said):
        ask(server)

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"error": "Rate limit reached, please slow down"},
        {"detail": "Service Unavailable"},
        [{"error": {"code": 503, "message": "The model is overloaded", "status": "UNAVAILABLE"}}],
        {"error": {"message": "Too many requests"}},
    ],
    ids=["a text", "a detail", "a list", "words alone"],
)
def test_row_8_an_error_in_another_form_is_one(body: Any, server: ChatServer) -> None:
    server.responses = [Response(body), says("Because.")]

    assert ask(server, retries=1).text == "Because."


def test_row_8_a_detail_beside_an_answer_is_none(server: ChatServer) -> None:
    answer = says("Because.")
    body: Any = answer.body
    server.responses = [replace(answer, body=body | {"detail": "rate limit: 5 of 10 left"})]

    assert ask(server).text == "Because."


def test_a_stream_that_is_cut_off_is_asked_for_again(server: ChatServer) -> None:
    server.responses, call = [streams("Bec", finish=None), streams("Because.")], CallUsage()

    assert ask(server, call, retries=1).text == "Because."

    assert call.times == 2


def test_a_stream_that_is_always_cut_off_is_an_endpoint_that_is_away(server: ChatServer) -> None:
    server.responses = [streams("Bec", finish=None)]

    with pytest.raises(ServiceUnavailable, match="ended before the answer did"):
        ask(server, retries=0)


@pytest.mark.parametrize(
    "response",
    [
        streams("Bec", finish=None, stalls=True),
        Response("", pieces=[": wait\n\n"], stalls=True),
        Response("", waits=True),
    ],
    ids=["in the middle", "before a word", "before a header"],
)
def test_an_endpoint_that_falls_silent_is_the_providers_fault(
    response: Response, server: ChatServer
) -> None:
    server.responses = [response]

    with pytest.raises(ProviderUnavailable, match="fell silent") as raised:
        ask(server, idle_seconds=0.3)

    assert raised.value.problems[0].setting == "WORKER_AGENT_IDLE_SECONDS"


def test_a_tool_call_is_seen(server: ChatServer) -> None:
    call = 'data: {"choices": [{"delta": {"tool_calls": [{"index": 0}]}}]}\n\n'
    answer = streams()
    server.responses = [replace(answer, pieces=[call, *answer.pieces])]

    reply = ask(server)

    assert (reply.text, len(reply.calls)) == ("", 1)
