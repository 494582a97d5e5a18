from collections.abc import Iterator

import pytest

from loreley.core.budget import CallUsage, Usage
from loreley.core.endpoints.embeddings import Embedded, EmbeddingEndpoint
from loreley.errors import ConfigError, JobInterrupted, ServiceUnavailable
from loreley.host.deadline import Deadline, Stop
from tests.core.endpoints.embedding_server import Stub, embedding, serving
from tests.core.worker.upstream import soon


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as found:
        yield found


def endpoint(stub: Stub, key: str | None = None, retries: int = 0) -> EmbeddingEndpoint:
    return EmbeddingEndpoint("stub", stub.url, key, retries)


@pytest.mark.slow
def test_texts_are_embedded_in_their_order(stub: Stub) -> None:
    answer = endpoint(stub).embed(["abc", "xyz"], soon())

    assert answer == Embedded([embedding("abc", 100), embedding("xyz", 100)], tokens=6)
    assert answer.length == 100


@pytest.mark.parametrize("path", ["/", "/embeddings", "/embeddings/", "/models"])
def test_row_10_the_path_of_a_question_may_be_in_the_url(path: str, stub: Stub) -> None:
    found = EmbeddingEndpoint("stub", f"{stub.url}{path}", None, 0)

    assert found.embed(["abc"], soon()).length == 100


def test_the_key_is_sent_and_never_shown(stub: Stub) -> None:
    asked = endpoint(stub, "sk-very-secret")
    asked.embed(["abc"], soon())

    assert stub.keys == ["Bearer sk-very-secret"]
    assert "secret" not in repr(asked)


def test_what_may_pass_is_tried_again(stub: Stub) -> None:
    stub.refusals = [503]

    assert endpoint(stub, retries=1).embed(["abc"], soon()).length == 100


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_overloaded_endpoint_is_a_service_that_is_away(stub: Stub, status: int) -> None:
    stub.refusals, call = [status], CallUsage()

    with pytest.raises(ServiceUnavailable, match="not now"):
        endpoint(stub).embed(["abc"], soon(), call)

    assert call.usage.dollars == 0


def test_an_endpoint_that_is_not_there_is_a_service_that_is_away() -> None:
    with serving() as gone:
        pass

    with pytest.raises(ServiceUnavailable, match="MAPELITES_EMBEDDING_URL"):
        endpoint(gone).embed(["abc"], soon())


@pytest.mark.parametrize(
    ("status", "setting"),
    [(401, "MAPELITES_EMBEDDING_API_KEY"), (404, "MAPELITES_EMBEDDING_MODEL")],
)
def test_a_refusal_names_the_setting(stub: Stub, status: int, setting: str) -> None:
    stub.refusals = [status]

    with pytest.raises(ConfigError, match=setting):
        endpoint(stub).embed(["abc"], soon())


@pytest.mark.parametrize(
    "body",
    [
        {"data": []},
        {"data": [{"index": 0, "embedding": []}]},
        {"data": [{"index": 0, "embedding": [0.0, 0.0]}]},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0]}]},
        {"data": [{"index": 0, "embedding": "AACAPw=="}]},
        {"data": [{"index": 0, "embedding": [1.0, None]}]},
        {"data": [{"index": None, "embedding": [1.0]}]},
        {"data": 5},
        {"detail": "what a fine day"},
    ],
)
def test_an_answer_of_another_form_is_refused(stub: Stub, body: object) -> None:
    stub.body = body

    with pytest.raises(ConfigError, match="unexpected format"):
        endpoint(stub).embed(["abc"], soon())


OVERLOADED = {"error": {"message": "upstream is unwell", "code": 502}}


@pytest.mark.parametrize(
    "body",
    [
        OVERLOADED,
        {"error": {"message": "slow down", "type": "rate_limit_exceeded"}},
        {"error": "Rate limit reached", "data": []},
        {"detail": "Too many requests"},
        {"error": {"message": "The model is overloaded"}, "data": None},
    ],
)
def test_row_8_an_error_with_status_200_is_asked_again(stub: Stub, body: object) -> None:
    stub.bodies, call = [body], CallUsage()

    assert endpoint(stub, retries=1).embed(["abc"], soon(), call).length == 100

    assert call.times == 1


def test_row_8_an_error_with_status_200_that_lasts_is_a_service_that_is_away(stub: Stub) -> None:
    stub.body, call = OVERLOADED, CallUsage()

    with pytest.raises(ServiceUnavailable, match="status 502: upstream is unwell"):
        endpoint(stub).embed(["abc"], soon(), call)

    assert call.usage.dollars == 0


@pytest.mark.parametrize(
    ("body", "setting"),
    [
        ({"error": {"message": "who are you", "code": 401}}, "MAPELITES_EMBEDDING_API_KEY"),
        ({"error": "Incorrect API key provided"}, "MAPELITES_EMBEDDING_API_KEY"),
        ({"error": "model 'stub' not found"}, "MAPELITES_EMBEDDING_MODEL"),
    ],
)
def test_row_8_a_refusal_with_status_200_names_the_setting(
    stub: Stub, body: object, setting: str
) -> None:
    stub.body = body

    with pytest.raises(ConfigError, match=setting):
        endpoint(stub).embed(["abc"], soon())


def test_a_stop_ends_the_wait(stub: Stub) -> None:
    stub.goes_on.clear()
    stop = Stop()
    stop.ask(JobInterrupted("the worker is stopping"))

    with pytest.raises(JobInterrupted):
        endpoint(stub).embed(["abc"], Deadline.after(60, stop))


def test_tokens_have_their_price() -> None:
    answer = Embedded([[1.0]], tokens=2_000_000)

    assert answer.priced(0.02) == Usage(2_000_000, 0, dollars=0.04)
    assert answer.priced(None).dollars is None
