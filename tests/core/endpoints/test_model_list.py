"""The key of a chat endpoint, tried without a question that costs something."""

import subprocess
import sys

import pytest

from loreley.core.endpoints.chat import ChatEndpoint
from loreley.errors import ProviderRefused
from tests.core.agents.chat_server import ChatServer, Response, chat_server, refuses

KEY = "sk-very-secret"


def lists(*models: str, **more: object) -> Response:
    return Response({"object": "list", "data": [{"id": model} for model in models]} | more)


def try_key(server: ChatServer, model: str = "stub", url: str | None = None) -> str:
    return ChatEndpoint(model, url or server.url, KEY).try_key()


@pytest.mark.parametrize(
    "refusal", [refuses(401, f"Incorrect API key provided: {KEY}"), refuses(403, "invalid key")]
)
def test_a_refused_key_is_named_with_its_setting_and_never_shown(
    refusal: Response, server: ChatServer
) -> None:
    server.models = refusal

    with pytest.raises(ProviderRefused, match="refuses the key") as raised:
        try_key(server)

    assert raised.value.problems[0].setting == "WORKER_CHAT_API_KEY"
    assert raised.value.fix
    assert "very-secret" not in str(raised.value)
    assert server.keys == [f"Bearer {KEY}"]
    assert server.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        None,
        refuses(405, "not that way"),
        refuses(400, "?"),
        refuses(402, "pay"),
        refuses(403, "You have insufficient permissions. Missing scopes: api.model.read"),
        Response("<html>403 Forbidden</html>", 403),
        refuses(429, "later"),
        refuses(503, "later"),
        Response("<html>hello</html>"),
        Response({"models": ["stub"]}),
        Response(["stub"]),
        Response({"data": [{"id": 7}, None]}),
        Response("", promised_bytes=10),
    ],
)
def test_what_says_nothing_of_the_key_is_not_held_against_it(
    answer: Response | None, server: ChatServer
) -> None:
    server.models = answer

    assert try_key(server) == ""


def test_an_endpoint_that_is_away_or_silent_is_not_waited_for_long(server: ChatServer) -> None:
    with chat_server() as gone:
        pass
    server.models = Response("", waits=True)

    assert try_key(gone) == ""
    assert ChatEndpoint("stub", server.url).try_key(within_seconds=0.5) == ""


def test_a_key_is_sent_nowhere_else(server: ChatServer) -> None:
    with chat_server() as other:
        server.models = Response("", 302, headers={"Location": f"{other.url}/models"})

        assert try_key(server) == ""

        assert other.listed == []


def test_a_key_is_tried_without_the_library() -> None:
    code = (
        "import sys\n"
        "from loreley.core.endpoints.chat import ChatEndpoint\n"
        "ChatEndpoint('stub', 'http://127.0.0.1:9', 'k').try_key(0.5)\n"
        "sys.exit('openai' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_key_is_tried_below_v1_too_where_the_url_lacks_it(server: ChatServer) -> None:
    bare = server.url.removesuffix("/v1")
    server.models = lists("other")

    assert try_key(server, url=bare + "/chat/completions")
    assert server.listed == ["/models"]
    server.models = None
    assert try_key(server, url=bare) == ""
    assert server.listed[1:] == ["/models", "/v1/models"]


@pytest.mark.parametrize(
    ("model", "listed"),
    [
        ("stub", ["other", "stub"]),
        ("stub", ["stub:latest"]),
        ("vendor/stub:free", ["vendor/stub"]),
        ("gemini-pro", ["models/gemini-pro"]),
    ],
)
def test_a_model_that_is_listed_by_another_name_is_no_surprise(
    model: str, listed: list[str], server: ChatServer
) -> None:
    server.models = lists(*listed)

    assert try_key(server, model) == ""


def test_a_model_that_a_whole_list_lacks_is_a_warning(server: ChatServer) -> None:
    names = [f"model-{number}" for number in range(8)]
    server.models = lists(*names)

    warning = try_key(server)

    assert warning.startswith("the model 'stub' is not in its list: model-0, model-1, ")
    assert warning.endswith(", and 3 more")
    server.models = lists(*names, has_more=True)
    assert try_key(server) == ""
