"""The code descriptor by embeddings: what is asked for, once, and what it costs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from loreley.core.agents.protocol import CallRecorder
from loreley.core.endpoints.embeddings import EmbeddingEndpoint
from loreley.core.worker.code_descriptor import (
    DescribeRequest,
    EmbeddingDescriber,
    TokenDescriber,
    split_content,
)
from loreley.core.worker.repository import Worktree
from loreley.db.embeddings import Embeddings
from loreley.db.engine import Database
from loreley.errors import ConfigError
from loreley.map_elites.descriptor import Vector, combine, fold, zero
from tests.core.agents.support import Bench, bench
from tests.core.endpoints.embedding_server import Stub, embedding, serving
from tests.core.worker.upstream import soon


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as found:
        yield found


@pytest.fixture
def leased(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as found:
        yield found


@dataclass
class Setting:
    """A describer at work in a leased worktree."""

    stub: Stub
    database: Database
    bench: Bench
    price: float | None = 0.02

    @property
    def describer(self) -> EmbeddingDescriber:
        endpoint = EmbeddingEndpoint("stub", self.stub.url, retries=0)
        return EmbeddingDescriber(endpoint, Embeddings(self.database, "stub"), self.price)

    def request(self, base_vector: Vector | None = None) -> DescribeRequest:
        worktree: Worktree = self.bench.worktree
        recorder: CallRecorder = self.bench.recorder
        return DescribeRequest(worktree, worktree.base_commit, base_vector, recorder, soon())

    def describe(self, base_vector: Vector | None = None) -> Vector:
        return self.describer.describe(self.request(base_vector))

    def change(self, path: str, text: str) -> None:
        (self.bench.worktree.path / path).write_text(text)
        self.bench.worktree.commit_all("Change", "", soon())


@pytest.fixture
def setting(stub: Stub, database: Database, leased: Bench) -> Setting:
    return Setting(stub, database, leased)


def test_the_root_is_the_origin_and_costs_nothing(setting: Setting) -> None:
    assert setting.describe() == zero()
    assert setting.stub.asked == []
    assert setting.bench.budget_gate.usages == []


@pytest.mark.slow
def test_only_changed_files_are_asked_for(setting: Setting) -> None:
    setting.change("src/pack.py", "radius = 2.0\n")

    vector = setting.describe(zero())

    assert sorted(setting.stub.asked) == ["radius = 1.0\ncount = 26\n", "radius = 2.0\n"]
    new, old = (fold(embedding(text, 100)) for text in setting.stub.asked)
    wanted = combine(zero(), added=[new], removed=[old])
    assert vector == wanted or vector == combine(zero(), added=[old], removed=[new])
    assert any(vector)


def test_a_commit_whose_base_has_no_vector_is_described_from_the_root_on(setting: Setting) -> None:
    setting.change("src/pack.py", "radius = 2.0\n")

    assert setting.describe(None) == setting.describe(zero())


def test_each_content_is_embedded_once_for_all_workers(setting: Setting) -> None:
    setting.change("src/pack.py", "radius = 2.0\n")
    first = setting.describe(zero())
    asked = len(setting.stub.asked)

    assert setting.describe(zero()) == first  # by another describer on the same database
    assert len(setting.stub.asked) == asked == 2


def test_each_question_is_paid_for(setting: Setting) -> None:
    setting.change("src/pack.py", "radius = 2.0\n")

    setting.describe(zero())

    tokens = [usage.input_tokens for usage in setting.bench.budget_gate.usages]
    assert sorted(tokens, key=str) == sorted(map(len, setting.stub.asked), key=str)
    assert all(usage.dollars for usage in setting.bench.budget_gate.usages)


@pytest.mark.slow
def test_an_outage_is_waited_out(setting: Setting) -> None:
    setting.change("src/pack.py", "radius = 2.0\n")
    setting.stub.refusals = [503, 429]

    assert any(setting.describe(zero()))


def test_binary_files_are_not_asked_for(setting: Setting) -> None:
    setting.change("data.bin", "\0\7")

    assert setting.describe(zero()) == zero()
    assert setting.stub.asked == []


def test_embeddings_of_another_length_are_refused(setting: Setting) -> None:
    setting.change("src/pack.py", "radius = 2.0\n")
    setting.describe(zero())
    setting.stub.length = 50

    with pytest.raises(ConfigError, match="50 numbers, earlier ones had 100"):
        setting.describer.check(soon())


def test_a_length_that_changes_in_the_middle_is_refused_too(setting: Setting) -> None:
    setting.change("src/pack.py", "radius = 2.0\n")
    Embeddings(setting.database, "stub").keep({"b" * 40: zero()}, 7)

    with pytest.raises(ConfigError, match="100 numbers, earlier ones had 7"):
        setting.describe(zero())


def test_a_check_asks_for_a_word(setting: Setting) -> None:
    setting.describer.check(soon())

    assert setting.stub.asked == ["loreley"]


def test_tokens_need_no_endpoint(setting: Setting) -> None:
    before = TokenDescriber().describe(setting.request())
    setting.change("src/pack.py", "radius = 2.0\n")

    assert TokenDescriber().describe(setting.request(before)) != before
    assert setting.stub.asked == []


def test_pieces_are_cut_at_the_ends_of_lines() -> None:
    content = "".join(f"line {number:05}\n" for number in range(1000))

    found = list(split_content(content.encode()))

    assert "".join(found) == content
    assert all(piece.endswith("\n") and len(piece) <= 2000 for piece in found)


def test_long_lines_are_cut_and_blank_files_are_none() -> None:
    assert [len(piece) for piece in split_content(b"x" * 4500)] == [2000, 2000, 500]
    assert list(split_content(b" \n\n")) == []
    assert list(split_content(b"")) == []
    assert list(split_content(b"x\0")) == []
    assert list(split_content(b"x" * (1024 * 1024 + 1))) == []
