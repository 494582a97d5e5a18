"""A run whose candidates are told apart by the embeddings of an endpoint."""

from collections.abc import Iterator

import pytest

from loreley.map_elites.descriptor import unpack
from tests.core.endpoints.embedding_server import Stub, serving
from tests.db.support import rows
from tests.system.stack import Stack, finished

pytestmark = pytest.mark.slow

KEY = "hunter2-of-the-endpoint"


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as found:
        yield found


def configured(stack: Stack, stub: Stub) -> None:
    stack.settings |= {
        "MAPELITES_MEASURES": "",
        "MAPELITES_DESCRIPTOR": "embedding",
        "MAPELITES_EMBEDDING_URL": stub.url,
        "MAPELITES_EMBEDDING_MODEL": "stub",
        "MAPELITES_EMBEDDING_API_KEY": KEY,
    }


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_run_embeds_each_content_once(stack: Stack, stub: Stub) -> None:
    configured(stack, stub)
    stack.settings["SCHEDULER_MAX_TOTAL_JOBS"] = "6"

    worker = stack.start_worker()
    finished(stack.start_scheduler(), worker)
    worker.stop()

    contents = [text for text in stub.asked if text != "loreley"]
    assert len(contents) == len(set(contents)) > 3
    assert set(stub.keys) == {f"Bearer {KEY}"}
    with stack.database() as database:
        commits = rows(database, "commits")
        vectors = [unpack(row["vector"]) for row in commits]
        assert sum(any(vector or []) for vector in vectors) == len(vectors) - 1  # all but the root
        assert len(rows(database, "embeddings")) == len(contents)
    assert all(KEY not in process.said for process in stack.processes)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_that_may_not_ask_says_so_when_it_starts(stack: Stack, stub: Stub) -> None:
    configured(stack, stub)
    stub.refusals = [401]

    worker = stack.start_worker()

    assert worker.popen.wait(timeout=60) == 1
    assert "the embedding endpoint refuses the key" in worker.said
    assert "MAPELITES_EMBEDDING_API_KEY" in worker.said
    assert KEY not in worker.said
    assert "Traceback" not in worker.said
