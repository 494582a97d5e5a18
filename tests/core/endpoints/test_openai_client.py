"""What depends on the purpose a client is made for."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from loreley.core.budget import CallUsage, Usage
from loreley.core.endpoints.openai_client import Client, Purpose
from loreley.errors import ConfigError, ServiceUnavailable, TimeLimitReached
from loreley.host.deadline import Deadline
from tests.core.agents.chat_server import ChatServer, chat_server, refuses, says
from tests.core.worker.upstream import soon

pytestmark = pytest.mark.slow  # importing the client takes more than a second

STUB = Purpose("stub", setting="STUB", longest_seconds=60.0)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server() as found:
        yield found


def ask(
    server: ChatServer,
    purpose: Purpose,
    deadline: Deadline | None = None,
    call: CallUsage | None = None,
    retries: int = 0,
) -> object:
    client = Client(purpose, server.url, None, retries)
    return client.ask(
        lambda api: api.chat.completions.create(model="stub", messages=[]),
        deadline or soon(),
        call or CallUsage(),
    )


@pytest.mark.parametrize(("late", "said"), [("so late", "so late"), (None, "timed out")])
def test_a_timeout_before_the_deadline_is_a_service_that_is_away(
    late: str | None, said: str, server: ChatServer
) -> None:
    server.responses = [replace(says("x"), waits=True)]

    with pytest.raises(ServiceUnavailable) as raised:
        ask(server, replace(STUB, longest_seconds=0.1, late=late))

    assert raised.value.problems[0].reason == said
    assert raised.value.problems[0].setting == "STUB_URL"


def test_a_connection_that_fails_when_the_time_is_over_is_reported_as_that() -> None:
    with chat_server() as gone:
        pass
    times = iter([0.0])  # when it is asked how long there is; later it is too late
    deadline = Deadline(at=10.0, clock=lambda: next(times, 10.0))

    with pytest.raises(TimeLimitReached, match="waiting for the stub endpoint"):
        ask(gone, STUB, deadline)


def test_an_account_that_is_used_up_is_a_refusal_unless_credit_is_awaited(
    server: ChatServer,
) -> None:
    server.responses = [refuses(429, "You exceeded your quota", "insufficient_quota")]

    with pytest.raises(ConfigError, match="the account at the stub endpoint is used up"):
        ask(server, STUB)
    with pytest.raises(ServiceUnavailable, match="You exceeded your quota"):
        ask(server, replace(STUB, awaits_credit=True))


def test_an_endpoint_that_was_never_reached_has_cost_nothing() -> None:
    with chat_server() as gone:
        pass
    call = CallUsage()

    with pytest.raises(ServiceUnavailable):
        ask(gone, STUB, call=call)

    assert call.usage == Usage(0, 0, dollars=0.0)


def test_questions_that_were_all_refused_have_cost_nothing(server: ChatServer) -> None:
    server.responses, call = [refuses(429, "not now")], CallUsage()

    with pytest.raises(ServiceUnavailable, match="not now"):
        ask(server, STUB, call=call, retries=1)

    assert len(server.requests) == 2
    assert call.usage == Usage(0, 0, dollars=0.0)


def test_a_question_that_was_cut_off_and_then_refused_may_have_cost_something(
    server: ChatServer,
) -> None:
    server.responses, call = [replace(says("x"), promised_bytes=9), refuses(400, "no")], CallUsage()

    with pytest.raises(ConfigError):
        ask(server, STUB, call=call, retries=1)

    assert call.usage == Usage()


def test_a_question_that_was_cut_off_before_it_was_answered_is_charged_too(
    server: ChatServer,
) -> None:
    cut_off = replace(says("x"), promised_bytes=9)
    server.responses, call = [cut_off, refuses(429, "not now"), says("x")], CallUsage()

    ask(server, STUB, call=call, retries=2)

    assert len(server.requests) == 3
    assert call.times == 2
