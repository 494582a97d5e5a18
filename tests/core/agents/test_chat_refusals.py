"""What a chat agent makes of an endpoint that refuses, falls silent or is not there."""

import socket
from collections.abc import Sequence
from dataclasses import replace

import pytest

from loreley.core.budget import Usage
from loreley.errors import (
    AgentFailed,
    JobInterrupted,
    ProviderRefused,
    ProviderUnavailable,
    ServiceUnavailable,
    TimeLimitReached,
)
from loreley.host.deadline import Deadline, Stop
from tests.core.agents.chat_server import ChatServer, Response, refuses, says, streams
from tests.core.agents.support import Bench
from tests.core.agents.test_chat import agent, edit, first_line, proposed
from tests.core.agents.test_chat import server as server

pytestmark = pytest.mark.slow  # importing the client takes more than a second


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_asked_again(status: int, server: ChatServer, bench: Bench) -> None:
    server.responses = [refuses(status, "later"), refuses(status, "later"), says(edit(bench))]

    proposed(agent(server), bench)

    assert len(server.requests) == 3
    assert len(bench.budget_gate.usages) == 1


@pytest.mark.parametrize("status", [429, 500])
def test_what_does_not_pass_sends_the_job_back(
    status: int, server: ChatServer, bench: Bench
) -> None:
    server.responses = [refuses(status, "later")]

    with pytest.raises(ServiceUnavailable) as raised:
        proposed(agent(server, retries=2), bench)

    assert f"status {status}: " in raised.value.summary
    assert len(server.requests) == 3
    assert bench.budget_gate.usages == [Usage(0, 0, 0, 0.0)]


@pytest.mark.parametrize(
    ("response", "said", "setting"),
    [
        (refuses(401, "Incorrect API key"), "refuses the key", "WORKER_CHAT_API_KEY"),
        (refuses(403, "no access"), "refuses the key", "WORKER_CHAT_API_KEY"),
        (refuses(404, "no such model"), "no such model", "WORKER_CHAT_URL, WORKER_CHAT_MODEL"),
        (refuses(400, "too long"), "too long", "WORKER_CHAT_URL, WORKER_CHAT_MODEL"),
        (Response("<html>", headers={}), "unexpected format", "WORKER_CHAT_URL"),
        (Response({"choices": []}), "unexpected format", "WORKER_CHAT_URL"),
        (Response({"error": "no"}), "unexpected format", "WORKER_CHAT_URL"),
    ],
)
def test_what_will_not_pass_is_the_providers_fault_and_names_a_setting(
    response: Response, said: str, setting: str, server: ChatServer, bench: Bench
) -> None:
    server.responses = [response]

    with pytest.raises(ProviderRefused) as raised:
        proposed(agent(server), bench)

    assert said in raised.value.summary
    assert raised.value.problems[0].setting == setting
    assert raised.value.problems[0].fix
    assert len(server.requests) == 1


def test_a_used_up_account_is_not_asked_for_ever(server: ChatServer, bench: Bench) -> None:
    server.responses = [refuses(429, "You exceeded your quota", "insufficient_quota")]

    with pytest.raises(ProviderRefused, match="used up"):
        proposed(agent(server, retries=1), bench)


def test_a_question_that_is_filtered_is_no_fault_of_the_provider(
    server: ChatServer, bench: Bench
) -> None:
    server.responses = [refuses(400, "we do not like it", "content_filter")]

    with pytest.raises(AgentFailed, match="refuses the question"):
        proposed(agent(server), bench)


def test_a_provider_that_wants_to_be_left_alone_is(server: ChatServer, bench: Bench) -> None:
    later = {"retry-after": "3600"}
    server.responses = [Response({"error": {"message": "enough"}}, 429, later)]

    with pytest.raises(ProviderUnavailable) as raised:
        proposed(agent(server, retries=2), bench)

    assert raised.value.wait_seconds == 3600
    assert len(server.requests) == 1


def test_a_connection_that_is_cut_is_tried_again(server: ChatServer, bench: Bench) -> None:
    whole = says(edit(bench))
    server.responses = [replace(whole, promised_bytes=100), whole]

    proposed(agent(server), bench)

    assert first_line(bench) == "BETTER = True"
    assert len(server.requests) == 2


def test_a_server_that_is_not_there_sends_the_job_back(bench: Bench) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"

    with pytest.raises(ServiceUnavailable) as raised:
        proposed(agent(ChatServer(url), retries=0), bench)

    assert raised.value.problems[0].setting == "WORKER_CHAT_URL"
    assert url in str(raised.value)


def test_a_slow_answer_ends_at_the_deadline(server: ChatServer, bench: Bench) -> None:
    server.responses = [streams("Bec", finish=None, stalls=True)]

    with pytest.raises(TimeLimitReached):
        proposed(agent(server), bench, Deadline.after(1))

    assert bench.budget_gate.usages == [Usage()]


@pytest.mark.parametrize(
    "pieces", [(), (": OPENROUTER PROCESSING\n\n",)], ids=["nothing", "signs of life alone"]
)
def test_an_answer_of_which_no_word_comes_is_the_providers_fault(
    pieces: Sequence[str], server: ChatServer, bench: Bench
) -> None:
    server.responses = [Response("", waits=not pieces, pieces=pieces, stalls=True)]

    with pytest.raises(ProviderUnavailable, match="fell silent") as raised:
        proposed(agent(server), bench, Deadline.after(1))

    assert raised.value.problems[0].setting == "WORKER_AGENT_TIMEOUT_SECONDS"
    assert bench.budget_gate.usages == [Usage()]


def test_a_stop_does_not_wait_for_the_answer(server: ChatServer, bench: Bench) -> None:
    server.responses = [replace(says(edit(bench)), waits=True)]
    stop = Stop()
    stop.ask(JobInterrupted("stopping"))

    with pytest.raises(JobInterrupted):
        proposed(agent(server), bench, Deadline.after(60, stop))


def test_the_key_is_in_no_error(server: ChatServer, bench: Bench) -> None:
    server.responses = [refuses(401, "Incorrect API key provided")]
    found = agent(server, api_key="sk-very-secret")

    with pytest.raises(ProviderRefused) as raised:
        proposed(found, bench)

    assert "very-secret" not in str(raised.value) + repr(found)
